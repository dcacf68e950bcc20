package nft

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// machine is what a host can do for one call, whether it is the one that this process runs on or one behind SSH. Nobody else works on it until close.
type machine interface {
	// nft runs nft over a script, or over none. What changes something is not cut off by ctx once it has begun: nobody would know what became of it.
	nft(ctx context.Context, script []byte, args ...string) ([]byte, error)
	// waiting returns the changes that nobody has confirmed: one, or none.
	waiting() []waiting
	// arm keeps the script that takes a change back, and starts the process that loads it after undo, counted from made, or from when whoever makes the change died over it.
	arm(ctx context.Context, token string, back []byte, undo time.Duration) error
	// made notes that a change is made, and its time runs.
	made(ctx context.Context, token string, undo time.Duration) (deadline time.Time, err error)
	// confirm takes the script away from that process. Where it has come first, the error is *device.Refused, as it is of cancel.
	confirm(ctx context.Context, token string) error
	// cancel loads it now.
	cancel(ctx context.Context, token string) error
	close()
}

// waiting is a change that nobody has confirmed.
type waiting struct {
	file     string // where it is on this host
	token    string
	deadline time.Time
	undoing  bool // its undoing was begun
}

// details are a device's options, parsed.
type details struct {
	program   []string // nft, and what stands in front of it
	directory string   // of the device, for pending changes
	agent     string   // socket of an SSH agent
}

// defaultDirectory is where pending changes stand. It does not outlive the host, and nor do its tables.
const defaultDirectory = "/run/sluice/nft"

// readDetails reads the options of t. program is nft where they do not say otherwise.
func readDetails(t device.Target, program string) (details, error) {
	d := details{directory: defaultDirectory}
	var sudo bool
	var netns string
	for name, value := range t.Options {
		var err error
		switch {
		case strings.ContainsAny(value, "\x00\n"):
			err = errors.New("its value has an octet that is in no name")
		case name == "netns":
			netns = value
		case name == "directory":
			d.directory = value
		case t.Address == "":
			err = errors.New("there is no such option without an address; there are netns and directory")
		case name == "agent":
			d.agent = value
		case name == "program":
			program = value
		case name == "sudo":
			sudo, err = strconv.ParseBool(value)
		default:
			err = errors.New("there is no such option; there are agent, directory, netns, program and sudo")
		}
		if err != nil {
			return d, fmt.Errorf("device %s, option %s: %w", t.Name, name, err)
		}
	}
	if sudo {
		d.program = append(d.program, "sudo", "-n", "--")
	}
	if netns != "" {
		d.program = append(d.program, "ip", "netns", "exec", netns)
	}
	d.program = append(d.program, program)
	d.directory = path.Join(d.directory, url.PathEscape(t.Name))
	return d, nil
}

// Window returns how long a host waits for a confirmation when Apply is asked for undo: whole seconds. The error is about an option of t that this adapter does not have.
func Window(t device.Target, undo time.Duration) (time.Duration, error) {
	_, err := readDetails(t, "nft")
	return time.Duration(seconds(undo)) * time.Second, err
}

// Late is how much later than it should the host of a device may undo a change that nobody confirmed. Here the process that does it counts from when the change was made, or this process died. Behind SSH the host
// first has to notice that nobody is there any more, and to end what it was loading.
func Late(t device.Target) time.Duration {
	if t.Address == "" {
		return 0
	}
	return silence + longestRun
}
