package host

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
)

// Verify says what is wrong with the files of p: whether one is missing, is not the one that was pinned, or could be changed by everybody. nil: p may be started.
func Verify(p Plugin) error {
	x, err := resolve(p)
	if err == nil {
		err = x.verify()
	}
	if err != nil {
		return fmt.Errorf("plugin %s: %w", p.Name, err)
	}
	return nil
}

// verify looks at every file of x.
func (x executable) verify() error {
	if err := x.verifyFile(x.path, x.name, x.sum); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(x.with)) {
		if err := x.verifyFile(path, path, x.with[path]); err != nil {
			return err
		}
	}
	return nil
}

func (x executable) verifyFile(path, name string, want [sha256.Size]byte) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("everybody may write %s: chmod o-w it", name)
	}
	if x.unlocked {
		return nil
	}
	got, err := checksum(path)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s is not the file that was pinned: its checksum is %x, and pinned is %x. If it was changed on purpose, pin it anew: `sluice adapter lock`, or sha256 in the configuration", name, got, want)
	}
	return nil
}
