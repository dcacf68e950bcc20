package sshclient

import (
	"errors"
	"fmt"
	"log/slog"
	"net"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sluice-gateway/sluice/core/device"
)

var errHostKey = errors.New("the device shows another host key than the configured one; if it was replaced on purpose, configure the new one")

// clientConfig returns how we log in to t. done is to be called when that has been tried.
func clientConfig(t device.Target, address string, o Options) (config *ssh.ClientConfig, done func(), err error) {
	config, done = &ssh.ClientConfig{User: t.Username, ClientVersion: "SSH-2.0-sluice"}, func() {}
	if t.PrivateKey != "" {
		signer, err := ssh.ParsePrivateKey([]byte(t.PrivateKey))
		if err != nil {
			return nil, nil, fmt.Errorf("the private key does not parse: %T", err) // the text might quote it
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if t.Password != "" {
		password := string(t.Password)
		config.Auth = append(config.Auth, ssh.Password(password), ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range answers {
				answers[i] = password
			}
			return answers, nil
		}))
	}
	if len(config.Auth) == 0 && o.Agent == "" {
		return nil, nil, errors.New("no credentials: give the device a private key or a password")
	}
	if err := verifyHost(config, t, address, o.Log); err != nil {
		return nil, nil, err
	}
	if o.Agent != "" {
		conn, err := net.Dial("unix", o.Agent)
		if err != nil {
			return nil, nil, fmt.Errorf("the SSH agent: %w", err)
		}
		done = func() { _ = conn.Close() }
		config.Auth = append([]ssh.AuthMethod{ssh.PublicKeysCallback(agent.NewClient(conn).Signers)}, config.Auth...)
	}
	return config, done, nil
}

// verifyHost makes config accept the one host that t names.
func verifyHost(config *ssh.ClientConfig, t device.Target, address string, log *slog.Logger) error {
	switch {
	case t.HostKey != "":
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(t.HostKey))
		if err != nil {
			return fmt.Errorf("the configured host key: %w; want it as a .pub file has it, beginning with its type such as ssh-ed25519", err)
		}
		config.HostKeyAlgorithms = algorithms(key.Type())
		want := string(key.Marshal())
		config.HostKeyCallback = func(_ string, _ net.Addr, got ssh.PublicKey) error {
			if string(got.Marshal()) != want {
				return fmt.Errorf("%w: it shows %s %s", errHostKey, got.Type(), ssh.FingerprintSHA256(got))
			}
			return nil
		}
	case t.KnownHosts != "":
		check, err := knownhosts.New(t.KnownHosts)
		if err != nil {
			return fmt.Errorf("the file of known hosts: %w; `sluice device trust %s` fills it", err, t.Name)
		}
		config.HostKeyCallback = knownHost(t, check)
		config.HostKeyAlgorithms = knownAlgorithms(check, address)
	case t.InsecureIgnoreHostKey:
		log.Warn("HOST KEY NOT VERIFIED: anybody between us and this device can read and change everything, the password included", "device", t.Name, "address", address)
		config.HostKeyCallback = ssh.InsecureIgnoreHostKey()
	default:
		return errors.New("nothing says which host key the device has: configure host-key or known-hosts")
	}
	return nil
}

// knownHost is check with the words that somebody needs who has never seen its own.
func knownHost(t device.Target, check ssh.HostKeyCallback) ssh.HostKeyCallback {
	return func(host string, addr net.Addr, key ssh.PublicKey) error {
		err := check(host, addr, key)
		var known *knownhosts.KeyError
		switch shows := key.Type() + " " + ssh.FingerprintSHA256(key); {
		case !errors.As(err, &known):
			return err
		case len(known.Want) == 0:
			return fmt.Errorf("%s knows no host key of this device, which shows %s: compare it, and type `sluice device trust %s`: %w", t.KnownHosts, shows, t.Name, err)
		default:
			return fmt.Errorf("the device shows another host key, %s, than line %d of %s has; if it was replaced on purpose, remove that line and type `sluice device trust %s`: %w",
				shows, known.Want[0].Line, t.KnownHosts, t.Name, err)
		}
	}
}

// algorithms returns the signature algorithms that a key of that type can make.
func algorithms(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{keyType}
}

// knownAlgorithms returns the algorithms of the keys that are known of address. Without it a device that has keys of several types may show one that is not
// in the file, and would be taken for an impostor.
func knownAlgorithms(check ssh.HostKeyCallback, address string) []string {
	var known *knownhosts.KeyError
	err := check(address, &net.TCPAddr{IP: net.IPv4zero}, noKey{})
	if !errors.As(err, &known) {
		return nil
	}
	var out []string
	for _, k := range known.Want {
		out = append(out, algorithms(k.Key.Type())...)
	}
	return out
}

// noKey is a key that nobody has.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
