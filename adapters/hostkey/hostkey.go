// Package hostkey asks devices for their SSH host keys, and keeps them in a known_hosts file of OpenSSH's form.
package hostkey

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// dialWithin bounds one connection that asks for a key.
const dialWithin = 15 * time.Second

// families are the signature algorithms by the type of key that makes them, one connection each: a server shows one key a connection, the first of its
// keys that the client says it can check.
var families = [][]string{
	{ssh.KeyAlgoED25519},
	{ssh.KeyAlgoECDSA256},
	{ssh.KeyAlgoECDSA384},
	{ssh.KeyAlgoECDSA521},
	{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA},
}

// errSeen ends a handshake once the key is known: nobody logs in.
var errSeen = errors.New("the host key was seen")

// Shown returns the host keys of the SSH server at address (host:port), the type that is preferred first. Nobody logs in. What it returns is what somebody on the
// way to the device may have put there: compare it with what the device says of itself before trusting it.
func Shown(ctx context.Context, address string) ([]ssh.PublicKey, error) {
	var out []ssh.PublicKey
	var last error
	for _, algorithms := range families {
		key, err := shown(ctx, address, algorithms)
		var unreachable *net.OpError
		switch {
		case err == nil:
			out = append(out, key)
		case len(out) == 0 && errors.As(err, &unreachable), ctx.Err() != nil:
			return nil, err
		default: // no key of this type
			last = err
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s shows no host key: %w", address, last)
	}
	return out, nil
}

func shown(ctx context.Context, address string, algorithms []string) (ssh.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	var key ssh.PublicKey
	_, _, _, err = ssh.NewClientConn(conn, address, &ssh.ClientConfig{
		User: "sluice", ClientVersion: "SSH-2.0-sluice", HostKeyAlgorithms: algorithms,
		HostKeyCallback: func(_ string, _ net.Addr, k ssh.PublicKey) error {
			key = k
			return errSeen
		},
	})
	if key != nil {
		return key, nil
	}
	return nil, err
}

// ErrOther says that a file knows another key of the same type for an address.
var ErrOther = errors.New("another host key is known")

// Known says whether file has key for address. The error is ErrOther where the file has another key of that type, or is about the file. A file that does not exist knows nobody.
func Known(file, address string, key ssh.PublicKey) (bool, error) {
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	check, err := knownhosts.New(file)
	if err != nil {
		return false, fmt.Errorf("the file of known hosts: %w", err)
	}
	err = check(address, &net.TCPAddr{IP: net.IPv4zero}, key)
	var other *knownhosts.KeyError
	switch {
	case err == nil:
		return true, nil
	case !errors.As(err, &other):
		return false, err // revoked
	}
	if i := slices.IndexFunc(other.Want, func(k knownhosts.KnownKey) bool { return k.Key.Type() == key.Type() }); i >= 0 {
		return false, fmt.Errorf("%w: line %d of %s has %s", ErrOther, other.Want[i].Line, file, ssh.FingerprintSHA256(other.Want[i].Key))
	}
	return false, nil
}

// Add writes key as one of address at the end of file, which is made where it does not exist, and waits until that is on the disk.
func Add(file, address string, key ssh.PublicKey) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	line := knownhosts.Line([]string{knownhosts.Normalize(address)}, key) + "\n"
	if len(old) > 0 && !strings.HasSuffix(string(old), "\n") {
		line = "\n" + line // the last line has no end
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Sync(), f.Close())
}
