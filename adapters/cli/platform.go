package cli

import (
	_ "embed"
	"fmt"
	"regexp"
	"time"
)

// platform is how one system is spoken to. It is data: what is typed, and how the answers look. A %s stands for the name of a configuration session, which is the token of the
// change as well.
type platform struct {
	system     string // for people
	definition []byte // scrapligo's: levels, prompts and the strings of failures

	setup    []string       // typed once, at the start
	exec     string         // the prompt behind the host's name where commands are typed
	config   *regexp.Regexp // and the one where configuration is
	question *regexp.Regexp // what the system asks in place of a prompt
	warning  *regexp.Regexp // a line of an answer that begins like a failure, and is none

	show string // prints the running configuration
	end  string // the last line of a configuration that was printed whole

	sessions string         // prints who is at what
	waiting  *regexp.Regexp // in it: the session whose change waits for its confirmation
	leftover *regexp.Regexp // in it: a session of ours that was cut off

	enter, leave string // begins a session, and leaves it as it is
	staged       string // prints the configuration as it will be after the commit
	commit       func(name string, window time.Duration) string
	confirm      string // makes a change stay, from any connection
	cancel       string // undoes it, and also forgets a session that has not been committed
	save         string // makes the running configuration outlive a reboot
}

//go:embed platforms/eos.yaml
var eosDefinition []byte

// platforms are the systems that this package can speak to, by the name of the dialect.
var platforms = map[string]platform{
	"eos":     eos,
	"eos-acl": eos,
}

// eos is Arista EOS. Sources: Arista's manual, "Configure Session" and "Session Management commands"; napalm-automation/napalm, napalm/eos/eos.py (commit timer, confirmation and abort
// from outside of the session); ArchRuger/CLAB-BACKUP-WORKER-v2, docs/multi-platform-restore (seen on cEOS 4.35.0F: the table of sessions, a session that is left behind by a cut, the undoing at the
// end of the timer, a confirmation over another connection, "% " in front of every failure); aristanetworks/cvprac, test data (a session's configuration as vEOS-lab 4.28.3M and 4.29.1F print
// it, closed by "end").
var eos = platform{
	system:     "EOS",
	definition: eosDefinition,
	setup:      []string{"terminal length 0", "terminal width 511"},
	exec:       "#",
	config:     regexp.MustCompile(`^\(config-s-[^()\n]+\)#$`),
	question:   regexp.MustCompile(`(?i)(?:--More--|password:|\[confirm\]|\[(?:y/n|yes/no|no|yes)\]:?)\s*\z`),
	show:       "show running-config",
	end:        "end",
	sessions:   "show configuration sessions detail",
	waiting:    regexp.MustCompile(`(?m)^\s*Session with pending commit timer:\s*(\S+)\s*$`),
	leftover:   regexp.MustCompile(`(?m)^[* ]\s*(sluice-[0-9a-z]+)\s+pending\b`),
	enter:      "configure session %s",
	leave:      "end",
	staged:     "show session-config named %s",
	commit: func(name string, window time.Duration) string {
		n := int(window / time.Second)
		return fmt.Sprintf("configure session %s commit timer %02d:%02d:%02d", name, n/3600, n/60%60, n%60)
	},
	confirm: "configure session %s commit",
	cancel:  "configure session %s abort",
	save:    "write memory",
}

// window returns for how long a device is to wait when undo is asked for: whole seconds.
func window(undo time.Duration) time.Duration {
	return max((undo + time.Second - 1).Truncate(time.Second), time.Second)
}
