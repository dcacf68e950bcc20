package config

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// lockName is the lock file's name where the configuration gives none; it stands beside the configuration.
const lockName = "plugins.lock"

// Lock holds the checksums of files, by path: what plugins must be to be run. Its text is that of sha256sum(1), so that `sha256sum --check` reads it too.
type Lock map[string][32]byte

// ReadLock reads the text of a lock file; name is for messages. A line that is not understood makes the whole file refused.
func ReadLock(name string, text []byte) (Lock, error) {
	l := Lock{}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		sum, path, found := strings.Cut(strings.TrimRight(string(line), "\n"), "  ")
		b, err := hex.DecodeString(sum)
		_, twice := l[path]
		switch {
		case !found || err != nil || len(b) != 32 || !filepath.IsAbs(path):
			return nil, Problem{name, n, 1, "not a checksum, two spaces and a whole path, as sha256sum writes them: `sluice adapter lock` writes the file anew"}
		case twice:
			return nil, Problem{name, n, 1, path + " is there twice"}
		}
		l[path] = [32]byte(b)
	}
	return l, nil
}

// String is the text of the file, by path.
func (l Lock) String() string {
	var lines []string
	for path, sum := range l {
		lines = append(lines, fmt.Sprintf("%x  %s\n", sum, path))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return strings.Join(lines, "")
}

// LoadPlugins reads what the configuration at path says of plugins, whatever else is wrong with it, and where its lock file is. Pins are those that the configuration holds itself.
func LoadPlugins(path string) (plugins []Plugin, lock string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("read configuration: %w", err)
	}
	raw, file, err := decode[rawConfig](path, text)
	if err != nil {
		return nil, "", err
	}
	b := &builder{file: path, ast: file, env: Env{Getenv: os.Getenv, ReadFile: os.ReadFile}}
	plugins = b.plugins(raw.Plugins)
	return plugins, b.lockPath(raw), b.trouble()
}

func (b *builder) lockPath(raw rawConfig) string {
	if raw.Lock != "" {
		return raw.Lock
	}
	return filepath.Join(filepath.Dir(b.file), lockName)
}

// plugins reads what the file says of plugins; Pins hold the checksums that stand in it.
func (b *builder) plugins(raw []rawPlugin) []Plugin {
	seen := map[string]bool{}
	var out []Plugin
	for i, rp := range raw {
		path := fmt.Sprintf("$.plugins[%d]", i)
		b.name(path, rp.Name, seen)
		p := Plugin{Name: rp.Name, File: rp.File, With: rp.With, Unlocked: rp.Unlocked, Memory: defaultMemory, Start: b.duration(path+".start-within", rp.Start, defaultStart)}
		if rp.Memory != "" {
			p.Memory = b.size(path+".memory", rp.Memory)
		}
		if p.File == "" {
			b.fail(path+".file", "missing: the plugin's executable")
		}
		for _, f := range append([]string{p.File}, p.With...) {
			if f != "" && (!filepath.IsAbs(f) || strings.ContainsAny(f, "\\\n")) {
				b.fail(path+".file", "%q: write the whole path of a file, without backslashes", f)
			}
		}
		sum, err := hex.DecodeString(rp.SHA256)
		switch {
		case rp.SHA256 == "":
		case rp.Unlocked:
			b.fail(path+".unlocked", "the file has a checksum here, and unlocked says not to look at it: write one of the two")
		case len(rp.With) > 0:
			b.fail(path+".sha256", "the plugin is more than one file: take sha256 away and pin all of them with `sluice adapter lock`")
		case err != nil || len(sum) != 32:
			b.fail(path+".sha256", "not 64 hexadecimal digits: write what `sha256sum %s` prints", rp.File)
		default:
			p.Pins = map[string][32]byte{p.File: [32]byte(sum)}
		}
		out = append(out, p)
	}
	return out
}

var sizes = regexp.MustCompile(`^([1-9][0-9]{0,6})(MiB|GiB)$`)

// size reads an amount of memory, in octets.
func (b *builder) size(path, text string) uint64 {
	m := sizes.FindStringSubmatch(text)
	if m == nil {
		b.fail(path, "%q is no amount of memory, such as 512MiB or 2GiB", text)
		return 0
	}
	n, _ := strconv.ParseUint(m[1], 10, 64) // seven digits
	return n << map[string]int{"MiB": 20, "GiB": 30}[m[2]]
}

// pins fills in the checksums of the lock file for plugins whose entry has none.
func (b *builder) pins(raw rawConfig, plugins []Plugin) {
	var lock Lock
	where := b.lockPath(raw)
	for i := range plugins {
		p := &plugins[i]
		if p.Unlocked || p.Pins != nil || p.File == "" {
			continue
		}
		if lock == nil {
			var ok bool
			if lock, ok = b.lock(where); !ok {
				return
			}
		}
		p.Pins = map[string][32]byte{}
		for _, f := range append([]string{p.File}, p.With...) {
			sum, pinned := lock[f]
			if !pinned {
				b.fail(fmt.Sprintf("$.plugins[%d].file", i), "%s is not pinned in %s: if it is the file that you mean, type `sluice adapter lock -c %s`", f, where, b.file)
				continue
			}
			p.Pins[f] = sum
		}
	}
}

func (b *builder) lock(path string) (Lock, bool) {
	text, err := b.env.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Lock{}, true
	}
	if err == nil {
		var l Lock
		if l, err = ReadLock(path, text); err == nil {
			return l, true
		}
	}
	b.fail("$.plugins", "the lock file: %v", err)
	return nil, false
}
