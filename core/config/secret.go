package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// secret fetches what a reference names. The message of a failure names the reference, never the secret.
func (b *builder) secret(path string, raw *rawSecret) device.Secret {
	switch {
	case raw == nil:
		return ""
	case raw.references() != 1:
		b.fail(path, "needs exactly one of env, file and command")
		return ""
	case b.env.NoSecrets:
		return ""
	case raw.Env != "":
		v := b.env.Getenv(raw.Env)
		if v == "" {
			b.fail(path+".env", "the environment variable %s is not set", raw.Env)
		}
		return device.Secret(v)
	case raw.File != "":
		v, err := b.env.ReadFile(raw.File)
		return b.fetched(path+".file", raw.File, v, err)
	}
	v, err := b.env.Command(raw.Command)
	return b.fetched(path+".command", raw.Command[0], v, err)
}

// fetched returns what was read from where as a secret, without the end of its last line.
func (b *builder) fetched(path, where string, text []byte, err error) device.Secret {
	if err != nil {
		b.fail(path, "%v", err)
		return ""
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		b.fail(path, "%s gives nothing", where)
	}
	return device.Secret(secret)
}

// references counts the ways in which r says where the secret is.
func (r *rawSecret) references() (n int) {
	for _, said := range []bool{r.Env != "", r.File != "", len(r.Command) > 0} {
		if said {
			n++
		}
	}
	return n
}

// commandWithin is how long a command that prints a secret may take: a person may have to touch a key.
const commandWithin = 30 * time.Second

// runCommand runs words without a shell and returns what the command prints. What it says on standard error is not repeated: it might quote the secret.
func runCommand(words []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.WaitDelay = time.Second // what it started may keep its output open
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	var status *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s did not end within %v", words[0], commandWithin)
	case errors.As(err, &status):
		return nil, fmt.Errorf("%s failed: %v", words[0], status.ProcessState)
	case err != nil:
		return nil, err
	}
	return out.Bytes(), nil
}
