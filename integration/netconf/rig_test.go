// Package netconf_test runs the Junos plugin as in production (a process behind the host) against a NETCONF server that nobody here wrote: netconfd of
// yuma123 behind OpenSSH, with Juniper's own models. It needs root, Debian's netconfd, openssh-server and libyang2-tools, and Juniper's models below
// SLUICE_YANG or in ../shared/yang beside the repository; in CI (CI=true) it fails where they are missing.
//
// Each test has servers of its own, on a port of its own, in a directory of its own.
package netconf_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// TestMain makes the test binary three programs: the tests, the plugin, and the pacer in front of netconfd.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == host.RunCommand {
		sdk.Serve(netconf.New(junos.Dialect{}, netconf.Options{}))
	}
	if len(os.Args) > 1 && os.Args[1] == "pacer" {
		if err := pace(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// pace is netconfd's SSH subsystem with one repair: netconfd 2.13 does not answer a message that arrives in one read together with the one before it, such as the
// first request behind a hello, until yet another comes. It hands messages on one at a time, with a pause in which the server's read ends.
func pace(args []string) error {
	c := exec.Command("/usr/sbin/netconf-subsystem", args...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	w, err := c.StdinPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	go func() {
		defer w.Close()
		var held []byte
		buf := make([]byte, 64<<10)
		for {
			n, err := os.Stdin.Read(buf)
			held = append(held, buf[:n]...)
			for {
				i := endOfFirst(held)
				if i < 0 {
					break
				}
				if _, err := w.Write(held[:i]); err != nil {
					return
				}
				held = held[i:]
				time.Sleep(30 * time.Millisecond)
			}
			if err != nil {
				_, _ = w.Write(held)
				return
			}
		}
	}()
	return c.Wait()
}

// endOfFirst returns where the first whole message ends, in either framing, or -1.
func endOfFirst(b []byte) int {
	end := -1
	for _, mark := range []string{"]]>]]>", "\n##\n"} {
		if i := bytes.Index(b, []byte(mark)); i >= 0 && (end < 0 || i+len(mark) < end) {
			end = i + len(mark)
		}
	}
	return end
}

// models returns the directory of Juniper's models, and makes sure of everything else that the rig needs.
func models(t *testing.T) string {
	t.Helper()
	root := os.Getenv("SLUICE_YANG")
	if root == "" {
		root = "../../../shared/yang"
	}
	dir, err := filepath.Abs(filepath.Join(root, "junos"))
	if err != nil {
		t.Fatal(err)
	}
	var missing []error
	for _, f := range []string{filepath.Join(dir, "junos-conf-firewall@2024-01-01.yang"), "/usr/sbin/netconfd", "/usr/sbin/sshd", "/usr/sbin/netconf-subsystem", "/usr/bin/yanglint"} {
		if _, err := os.Stat(f); err != nil {
			missing = append(missing, err)
		}
	}
	if os.Geteuid() != 0 {
		missing = append(missing, errors.New("not root: sshd lets root in here"))
	}
	if err := errors.Join(missing...); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("set SLUICE_YANG, install netconfd openssh-server libyang2-tools, run as root: %v", err)
		}
		t.Skipf("outside CI, without what the rig needs: %v", err)
	}
	return dir
}

// router is netconfd behind sshd.
type router struct {
	target device.Target
	signer ssh.Signer
	dir    string
}

// boot starts a router. paced puts the pacer in front of it.
func boot(t *testing.T, paced bool) *router {
	t.Helper()
	yang := models(t)
	dir, err := os.MkdirTemp("", "ncd") // short: the name of a socket goes into it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	t.Cleanup(func() {
		if t.Failed() {
			for _, name := range []string{"netconfd.log", "sshd.log"} {
				b, _ := os.ReadFile(filepath.Join(dir, name))
				t.Logf("%s:\n%s", name, b[max(0, len(b)-4000):])
			}
		}
	})
	r := &router{dir: dir}
	_, hostKey := r.key(t, "hostkey")
	userPEM, userKey := r.key(t, "userkey")
	if r.signer, err = ssh.ParsePrivateKey(userPEM); err != nil {
		t.Fatal(err)
	}
	r.write(t, "authorized_keys", userKey)
	port := freePort(t)
	r.target = device.Target{
		Name: "r1", Address: net.JoinHostPort("127.0.0.1", port), Username: "root", PrivateKey: device.Secret(userPEM), HostKey: strings.TrimSpace(hostKey), Timeout: 30 * time.Second,
	}
	sock := filepath.Join(dir, "ncx.sock")
	subsystem := fmt.Sprintf("/usr/sbin/netconf-subsystem --ncxserver-sockname=%s@%s", port, sock)
	if paced {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		subsystem = fmt.Sprintf("%s pacer --ncxserver-sockname=%s@%s", self, port, sock)
	}
	r.write(t, "sshd_config", fmt.Sprintf("Port %s\nListenAddress 127.0.0.1\nHostKey %[2]s/hostkey\nPidFile %[2]s/sshd.pid\nAuthorizedKeysFile %[2]s/authorized_keys\n"+
		"StrictModes no\nUsePAM yes\nPermitRootLogin prohibit-password\nAllowUsers root\nMaxStartups 100\nSubsystem netconf %s\n", port, dir, subsystem))
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	r.run(t, "netconfd", "/usr/sbin/netconfd", "--port="+port, "--ncxserver-sockname="+sock, "--superuser=root", "--target=candidate", "--no-startup",
		"--modpath=/usr/share/yuma/modules:"+yang, "--module=junos-conf-root", "--module=junos-conf-firewall", "--log-level=info")
	wait(t, "netconfd's socket", func() bool { _, err := os.Stat(sock); return err == nil })
	r.run(t, "sshd", "/usr/sbin/sshd", "-D", "-f", filepath.Join(dir, "sshd_config"), "-e")
	wait(t, "the router's hello", func() bool {
		c, err := r.raw()
		if err != nil {
			return false
		}
		defer c.close()
		return true
	})
	return r
}

func (r *router) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// key makes a key pair; the private key goes into a file of that name.
func (r *router) key(t *testing.T, name string) (private []byte, public string) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	r.write(t, name, string(pem.EncodeToMemory(block)))
	return pem.EncodeToMemory(block), string(ssh.MarshalAuthorizedKey(key))
}

// run starts a server in the foreground, in a process group of its own, until the test ends.
func (r *router) run(t *testing.T, name, path string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(r.dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, args...)
	c.Stdout, c.Stderr, c.Dir = log, log, r.dir
	c.Env = append(os.Environ(), "HOME="+r.dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		_ = c.Wait()
		_ = log.Close()
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// wait waits for a condition, a minute at most.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the test ended")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// raw is another client of the router: another hand, with no code of ours between it and the wire.
type raw struct {
	client *ssh.Client
	in     io.Writer
	out    io.Reader
	held   []byte
}

func (r *router) raw() (*raw, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(r.target.HostKey))
	if err != nil {
		return nil, err
	}
	client, err := ssh.Dial("tcp", r.target.Address, &ssh.ClientConfig{
		User: "root", Auth: []ssh.AuthMethod{ssh.PublicKeys(r.signer)}, HostKeyCallback: ssh.FixedHostKey(key), Timeout: 10 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	s, err := client.NewSession()
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	c := &raw{client: client}
	c.in, err = s.StdinPipe()
	if err == nil {
		c.out, err = s.StdoutPipe()
	}
	if err == nil {
		err = s.RequestSubsystem("netconf")
	}
	if err == nil {
		_, err = c.read(10 * time.Second)
	}
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return c, nil
}

func (c *raw) close() { _ = c.client.Close() }

const hello = `<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>]]>]]>`

func request(id, body string) string {
	return `<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="` + id + `">` + body + `</rpc>]]>]]>`
}

// send writes octets as they are, in one write.
func (c *raw) send(t *testing.T, msg string) {
	t.Helper()
	if _, err := io.WriteString(c.in, msg); err != nil {
		t.Fatal(err)
	}
}

// read returns the next message, or an error when none comes in time; then the connection is of no further use.
func (c *raw) read(within time.Duration) (string, error) {
	stop := time.AfterFunc(within, func() { _ = c.client.Close() })
	defer stop.Stop()
	buf := make([]byte, 32<<10)
	for {
		if i := bytes.Index(c.held, []byte("]]>]]>")); i >= 0 {
			msg := string(c.held[:i])
			c.held = c.held[i+6:]
			return msg, nil
		}
		n, err := c.out.Read(buf)
		c.held = append(c.held, buf[:n]...)
		if err != nil {
			return "", err
		}
	}
}

// do carries out one request.
func (c *raw) do(t *testing.T, body string) string {
	t.Helper()
	c.send(t, request("7", body))
	reply, err := c.read(20 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// another returns a session of another hand.
func (r *router) another(t *testing.T) *raw {
	t.Helper()
	c, err := r.raw()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	c.send(t, hello)
	return c
}

// plugin runs the Junos plugin as a process until the test ends.
func plugin(t *testing.T) (device.Adapter, *host.Host) {
	t.Helper()
	h, err := host.New(host.Options{MinPause: time.Millisecond}, host.Plugin{Name: "junos"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	a, err := h.Adapter("junos")
	if err != nil {
		t.Fatal(err)
	}
	return a, h
}

// kill ends the plugin's process without a farewell, and waits for the next one.
func kill(t *testing.T, h *host.Host) {
	t.Helper()
	before := h.Status()[0].PID
	if before == 0 {
		t.Fatal("the plugin does not run")
	}
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wait(t, "another plugin process", func() bool { st := h.Status()[0]; return st.PID != 0 && st.PID != before })
}
