package rig

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/core/device"
)

// Terminal is FRR's bgpd with a command line behind sshd. It speaks BGP to nobody: its access lists are a configuration to work on.
type Terminal struct {
	Target device.Target
	Daemon *Process
	router *Router // for its files and keys
	vty    string  // port of the daemon's own command line; "": vtysh
}

// BootVtysh starts bgpd, and vtysh as the shell of an SSH server: what is typed takes effect at once.
func BootVtysh(t testing.TB) *Terminal { return bootTerminal(t, false) }

// BootTransactional starts bgpd with its transaction-based command line (--tcli) as the shell of an SSH server: exclusive candidates, and commits that are undone unless they are confirmed. vtysh
// has no commands for these, so the shell is a relay to the daemon's own port.
func BootTransactional(t testing.TB) *Terminal { return bootTerminal(t, true) }

func bootTerminal(t testing.TB, transactional bool) *Terminal {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("run as root: the command line stands behind an sshd that lets root in")
	}
	Program(t, "sshd", "openssh-server")
	Program(t, "vtysh", "frr")
	const bgpd = "/usr/lib/frr/bgpd"
	if _, err := os.Stat(bgpd); err != nil {
		t.Fatalf("apt-get install frr: %v", err)
	}
	dir, err := os.MkdirTemp("", "frr") // short: the name of a socket goes into it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	term := &Terminal{router: &Router{dir: dir}}
	term.router.write(t, "bgpd.conf", "hostname r1\nline vty\n no login\n")
	args := []string{"-p", "0", "-n", "-S", "-Z", "--vty_socket", dir, "-i", filepath.Join(dir, "bgpd.pid"), "-f", filepath.Join(dir, "bgpd.conf"), "-u", "root", "-g", "root"}
	shell := "/usr/bin/vtysh --vty_socket " + dir
	if transactional {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		term.vty = freePort(t)
		args = append(args, "--tcli", "-A", "127.0.0.1", "-P", term.vty)
		shell = self + " relay " + term.vty
	} else {
		args = append(args, "-P", "0")
	}
	term.Daemon = Launch(t, nil, bgpd, args...)
	Wait(t, "bgpd's socket", func() bool {
		c, err := net.Dial("unix", filepath.Join(dir, "bgpd.vty"))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	term.serve(t, shell)
	return term
}

// serve starts sshd, whose users all get that shell.
func (term *Terminal) serve(t testing.TB, shell string) {
	t.Helper()
	r := term.router
	_, hostKey := r.key(t, "hostkey")
	userPEM, userKey := r.key(t, "userkey")
	var err error
	if r.signer, err = ssh.ParsePrivateKey(userPEM); err != nil {
		t.Fatal(err)
	}
	r.write(t, "authorized_keys", userKey)
	port := freePort(t)
	term.Target = device.Target{
		Name: "r1", Address: net.JoinHostPort("127.0.0.1", port), Username: "root", PrivateKey: device.Secret(userPEM), HostKey: strings.TrimSpace(hostKey), Timeout: 30 * time.Second,
	}
	r.Target = term.Target
	r.write(t, "sshd_config", fmt.Sprintf("Port %s\nListenAddress 127.0.0.1\nHostKey %[2]s/hostkey\nPidFile %[2]s/sshd.pid\nAuthorizedKeysFile %[2]s/authorized_keys\nStrictModes no\nUsePAM yes\n"+
		"PrintMotd no\nPrintLastLog no\nPermitRootLogin prohibit-password\nAllowUsers root\nMaxStartups 100\nForceCommand %s\n", port, r.dir, shell))
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	r.run(t, "sshd", "/usr/sbin/sshd", "-D", "-f", filepath.Join(r.dir, "sshd_config"), "-e")
	Wait(t, "sshd", func() bool {
		c, err := net.Dial("tcp", term.Target.Address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// Type has another hand type lines, and returns what is printed.
func (term *Terminal) Type(t testing.TB, lines ...string) string {
	t.Helper()
	if term.vty == "" {
		args := []string{"--vty_socket", term.router.dir}
		for _, line := range lines {
			args = append(args, "-c", line)
		}
		out, _ := exec.Command("/usr/bin/vtysh", args...).CombinedOutput()
		return string(out)
	}
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", term.vty))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(Patience)); err != nil {
		t.Fatal(err)
	}
	for _, line := range append(append([]string{"enable", "terminal length 0"}, lines...), "exit") {
		if _, err := io.WriteString(c, line+"\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	out, _ := io.ReadAll(&plain{bufio.NewReader(c)})
	return string(out)
}

// Load has another hand load lines of configuration at once.
func (term *Terminal) Load(t testing.TB, lines []string) {
	t.Helper()
	term.router.write(t, "load", strings.Join(lines, "\n")+"\n")
	if out, err := exec.Command("/usr/bin/vtysh", "--vty_socket", term.router.dir, "-f", filepath.Join(term.router.dir, "load")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// MaybeRelay makes this process a user's shell that hands everything to a port, where it was started as such. The TestMain of a package that boots terminals calls it first.
func MaybeRelay() {
	if len(os.Args) != 3 || os.Args[1] != "relay" {
		return
	}
	if err := relay(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func relay(port string) error {
	raw := exec.Command("stty", "raw", "-echo") // the daemon echoes
	raw.Stdin = os.Stdin
	if err := raw.Run(); err != nil {
		return err
	}
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return err
	}
	defer c.Close()
	go func() {
		_, _ = io.Copy(c, os.Stdin)
		_ = c.Close()
	}()
	_, err = io.Copy(os.Stdout, &plain{bufio.NewReader(c)})
	return err
}

// plain is what a server prints without the commands of Telnet (RFC 854) in it.
type plain struct{ r *bufio.Reader }

func (p *plain) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) && (n == 0 || p.r.Buffered() > 0) {
		c, err := p.r.ReadByte()
		if err != nil {
			return n, err
		}
		if c == 255 { // IAC, a command, and an option
			if _, err := p.r.Discard(2); err != nil {
				return n, err
			}
			continue
		}
		b[n] = c
		n++
	}
	return n, nil
}
