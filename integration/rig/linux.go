package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// Linux is a network namespace behind OpenSSH's sshd, with a user of its own. It shares the files of this host but for some of /etc.
type Linux struct {
	Target device.Target // without a port of its own: lay a cable
	Home   string        // of the user
	router *Router
}

// User is who logs in to a Linux.
type User struct {
	Name    string // "root", or one that is made up
	Shell   string // "": /bin/sh
	Sudoers string // what stands in sudoers
	Busybox bool   // its programs are busybox, also /bin/sh; nft is nft
}

// UID is the number of made up users, and of their group.
const UID = 64990

// BootLinux starts sshd in a network namespace of `ip netns`, on port 22 of all its addresses.
func BootLinux(t testing.TB, ns string, u User) *Linux {
	t.Helper()
	Program(t, "sshd", "openssh-server")
	dir, err := os.MkdirTemp("", "linux")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &Router{dir: dir}
	l := &Linux{router: r, Home: filepath.Join(dir, "home")}
	_, hostKey := r.key(t, "hostkey")
	userPEM, userKey := r.key(t, "userkey")
	r.write(t, "authorized_keys", "restrict "+userKey)
	l.Target = device.Target{Name: "gw/1", Username: u.Name, PrivateKey: device.Secret(userPEM), HostKey: strings.TrimSpace(hostKey), Timeout: 30 * time.Second}
	for path, mode := range map[string]os.FileMode{dir: 0o755, filepath.Join(dir, "authorized_keys"): 0o644} { // who logs in reads his own keys
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(l.Home, 0o700); err != nil {
		t.Fatal(err)
	}
	mounts := l.people(t, u)
	path := "/usr/local/bin:/usr/bin:/bin"
	if u.Busybox {
		path = filepath.Join(dir, "busybox")
		mounts += l.busybox(t, path)
	}
	r.write(t, "sshd_config", fmt.Sprintf("Port 22\nHostKey %[1]s/hostkey\nPidFile %[1]s/sshd.pid\nAuthorizedKeysFile %[1]s/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n"+
		"PasswordAuthentication no\nMaxStartups 100\nSetEnv PATH=%[2]s\n", dir, path))
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	ip := Program(t, "ip", "iproute2")
	if out, err := exec.Command(ip, "-n", ns, "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r.run(t, "sshd", ip, "netns", "exec", ns, "/bin/sh", "-ec", mounts+"exec /usr/sbin/sshd -D -e -f "+dir+"/sshd_config")
	t.Cleanup(func() {
		if b, _ := os.ReadFile(filepath.Join(dir, "sshd.log")); t.Failed() {
			t.Logf("sshd:\n%s", b[max(0, len(b)-4000):])
		}
	})
	Wait(t, "sshd", func() bool {
		c, err := dialIn(ns, "127.0.0.1:22")
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return l
}

// people writes the files of /etc that know a user, and returns what puts them in their place. Root has another home as well: what stands in his own is nobody's business.
func (l *Linux) people(t testing.TB, u User) (mounts string) {
	t.Helper()
	if u.Shell == "" {
		u.Shell = "/bin/sh"
	}
	id := UID
	if u.Name == "root" {
		id = 0
	}
	for file, line := range map[string]string{
		"passwd": fmt.Sprintf("%s:x:%d:%d::%s:%s\n", u.Name, id, id, l.Home, u.Shell), "group": fmt.Sprintf("%s:x:%d:\n", u.Name, id), "shadow": u.Name + ":*:19000:0:99999:7:::\n",
	} {
		here, err := os.ReadFile(filepath.Join("/etc", file))
		if err != nil {
			t.Fatal(err)
		}
		l.etc(t, file, line+string(here), 0o644) // the first line of a name counts
		mounts += "mount --bind " + l.router.dir + "/" + file + " /etc/" + file + "\n"
	}
	if err := os.Chown(l.Home, id, id); err != nil {
		t.Fatal(err)
	}
	if u.Sudoers != "" {
		Program(t, "sudo", "sudo")
		l.etc(t, "sudoers", u.Sudoers, 0o440)
		mounts += "mount --bind " + l.router.dir + "/sudoers /etc/sudoers\n"
	}
	return mounts
}

func (l *Linux) etc(t testing.TB, name, content string, mode os.FileMode) {
	t.Helper()
	l.router.write(t, name, content)
	if err := os.Chmod(filepath.Join(l.router.dir, name), mode); err != nil {
		t.Fatal(err)
	}
}

// busybox makes a directory of its programs, and returns what puts it in the place of /bin/sh.
func (l *Linux) busybox(t testing.TB, dir string) (mounts string) {
	t.Helper()
	busybox := Program(t, "busybox", "busybox")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(busybox, "--install", "-s", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return "mount --bind " + busybox + " /bin/sh\n"
}
