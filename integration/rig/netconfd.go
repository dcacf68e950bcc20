package rig

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/core/device"
)

// Models returns the directory of Juniper's models. They are in the tree, unmodified, with their licence beside them.
func Models(t testing.TB) string { return models(t, "junos") }

// OpenConfigModels returns the directory of openconfig-acl and what it imports, kept in the same way.
func OpenConfigModels(t testing.TB) string { return models(t, "openconfig") }

// HuaweiModels returns the directory of huawei-acl, huawei-qos and what they import, kept in the same way. stub/ has two models of ours in place of two that libyang does
// not load.
func HuaweiModels(t testing.TB) string { return models(t, "huawei") }

func models(t testing.TB, whose string) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("where is this file?")
	}
	return filepath.Join(filepath.Dir(file), "testdata", whose)
}

// needs makes sure of what the router needs.
func needs(t testing.TB) {
	t.Helper()
	for _, f := range []string{"/usr/sbin/netconfd", "/usr/sbin/sshd", "/usr/sbin/netconf-subsystem"} {
		if _, err := os.Stat(f); err != nil {
			t.Fatalf("apt-get install netconfd openssh-server: %v", err)
		}
	}
	if os.Geteuid() != 0 {
		t.Fatal("run as root: netconfd stands behind an sshd that lets root in")
	}
}

// Router is netconfd behind sshd.
type Router struct {
	Target device.Target
	signer ssh.Signer
	dir    string
}

// Boot starts a router with Juniper's models. paced puts the pacer in front of it.
func Boot(t testing.TB, paced bool) *Router {
	t.Helper()
	return BootWith(t, paced, Models(t), "junos-conf-root", "junos-conf-firewall")
}

// BootWith starts a router with the modules of a directory.
func BootWith(t testing.TB, paced bool, yang string, modules ...string) *Router {
	t.Helper()
	options := []string{"--modpath=/usr/share/yuma/modules:" + yang}
	for _, m := range modules {
		options = append(options, "--module="+m)
	}
	return boot(t, paced, options)
}

// BootRestricted starts a router with Juniper's models, paced, that lets its user do what a configuration of access control gives him (RFC 8341, without its defaults, which deny
// everything).
func BootRestricted(t testing.TB, nacm string) *Router {
	t.Helper()
	file := filepath.Join(t.TempDir(), "startup.xml")
	startup := `<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><configuration xmlns="http://yang.juniper.net/junos/conf/root"><version>24.4</version></configuration>` + nacm + `</config>`
	if err := os.WriteFile(file, []byte(startup), 0o600); err != nil {
		t.Fatal(err)
	}
	return boot(t, true, []string{"--modpath=/usr/share/yuma/modules:" + Models(t), "--module=junos-conf-root", "--module=junos-conf-firewall", "--superuser=nobody", "--startup=" + file})
}

// BootOpenConfig starts a router with openconfig-acl, paced. netconfd cannot compare keys that are identities, so a deviation makes the types of
// sets strings there; everything else is as the model has it.
func BootOpenConfig(t testing.TB) *Router {
	t.Helper()
	return boot(t, true, []string{"--modpath=/usr/share/yuma/modules:" + OpenConfigModels(t) + ":" + models(t, "netconfd"), "--deviation=sluice-netconfd-deviation",
		"--module=openconfig-packet-match-types", "--module=openconfig-icmpv4-types", "--module=openconfig-acl"})
}

func boot(t testing.TB, paced bool, options []string) *Router {
	t.Helper()
	needs(t)
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
	r := &Router{dir: dir}
	_, hostKey := r.key(t, "hostkey")
	userPEM, userKey := r.key(t, "userkey")
	if r.signer, err = ssh.ParsePrivateKey(userPEM); err != nil {
		t.Fatal(err)
	}
	r.write(t, "authorized_keys", userKey)
	port := freePort(t)
	r.Target = device.Target{
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
	if !slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, "--startup=") }) {
		options = append(options, "--superuser=root", "--no-startup")
	}
	r.run(t, "netconfd", "/usr/sbin/netconfd", append([]string{"--port=" + port, "--ncxserver-sockname=" + sock, "--target=candidate", "--log-level=info"}, options...)...)
	Wait(t, "netconfd's socket", func() bool { _, err := os.Stat(sock); return err == nil })
	r.run(t, "sshd", "/usr/sbin/sshd", "-D", "-f", filepath.Join(dir, "sshd_config"), "-e")
	Wait(t, "the router's hello", func() bool {
		c, err := r.Connect()
		if err != nil {
			return false
		}
		defer c.Close()
		return true
	})
	return r
}

func (r *Router) write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// key makes a key pair; the private key goes into a file of that name.
func (r *Router) key(t testing.TB, name string) (private []byte, public string) {
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
func (r *Router) run(t testing.TB, name, path string, args ...string) {
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

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// Wait waits for a condition, a minute at most.
func Wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	Until(t, what, func() (bool, string) { return ok(), "" })
}
