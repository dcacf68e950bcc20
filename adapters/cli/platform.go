package cli

import (
	_ "embed"
	"fmt"
	"regexp"
	"time"
)

// Platform is how one system is spoken to. It is data: what is typed, and how the answers look. In what is typed, NAME stands for the name of the configuration session, where a
// system has such names.
type Platform struct {
	System     string // for people
	Definition []byte // scrapligo's: levels, prompts and the strings of failures

	Setup    []string       // typed once, at the start
	Exec     string         // the prompt behind the host's name where commands are typed
	Config   *regexp.Regexp // and the one where configuration is
	Question *regexp.Regexp // what the system asks in place of a prompt
	Harmless *regexp.Regexp // a line of an answer that begins like a failure, and is none

	Show string // prints the running configuration, typed where commands are
	End  string // the last line of a configuration that was printed whole

	Sessions string         // prints who is at what, typed where commands are; "": there is no such command
	Waiting  *regexp.Regexp // in it: a change that waits for its confirmation, and the name of its session where there is one
	Leftover *regexp.Regexp // in it: a session of ours that was cut off

	Enter   string         // begins a session
	Busy    *regexp.Regexp // its answer while somebody else is at work
	Staged  string         // prints in a session what runs after its commit
	Commit  string         // makes it run for the time being; WINDOW stands for the time
	Window  func(time.Duration) string
	Unit    time.Duration  // in which a window is counted
	Least   time.Duration  // the shortest window
	Done    *regexp.Regexp // what the answer to a commit must have in it; nil: nothing
	Abandon []string       // leave a session that has not been committed, and forget it

	// Held: only the session that made a change can confirm it, and it has to stay open until then.
	Held    bool
	Inside  string         // stands in front of a command that is typed where configuration is
	Confirm string         // makes a change stay: typed where commands are, or in the session that is held
	Sure    *regexp.Regexp // what its answer must have in it; nil: nothing
	Cancel  string         // undoes it now, typed in the same place; "": only time does
	Save    string         // makes the running configuration outlive a reboot; "": it does
}

//go:embed platforms/eos.yaml
var eosDefinition []byte

//go:embed platforms/iosxr.yaml
var iosxrDefinition []byte

// platforms are the systems that this package can speak to, by the name of the dialect.
var platforms = map[string]Platform{
	"eos":     eos,
	"eos-acl": eos,
	"iosxr":   iosxr,
}

// question is what the systems ask: whether to go on with the next page, for a password, whether one is sure.
var question = regexp.MustCompile(`(?i)(?:--\s?More\s?--|password:|\[confirm\]|\[(?:y/n|yes/no|no|yes|cancel)\]:?|\(yes/no(?:/cancel)?\)\??)\s*\z`)

// eos is Arista EOS. Sources: Arista's manual, "Configure Session" and "Session Management commands"; napalm-automation/napalm, napalm/eos/eos.py (confirmation and abort
// from outside of the session); ArchRuger/CLAB-BACKUP-WORKER-v2, docs/multi-platform-restore (seen on cEOS 4.35.0F: the table of sessions, a session that is left behind by a cut, the undoing at the
// end of the timer, a confirmation over another connection, "% " in front of every failure); aristanetworks/cvprac, test data (a session's configuration as vEOS-lab 4.28.3M and 4.29.1F print
// it, closed by "end").
var eos = Platform{
	System:     "EOS",
	Definition: eosDefinition,
	Setup:      []string{"terminal length 0", "terminal width 511"},
	Exec:       "#",
	Config:     regexp.MustCompile(`^\(config-s-[^()\n]+\)#$`),
	Question:   question,
	Show:       "show running-config",
	End:        "end",
	Sessions:   "show configuration sessions detail",
	Waiting:    regexp.MustCompile(`(?m)^\s*Session with pending commit timer:\s*(\S+)\s*$`),
	Leftover:   regexp.MustCompile(`(?m)^[* ]\s*(sluice-[0-9a-z]+)\s+pending\b`),
	Enter:      "configure session NAME",
	Staged:     "show session-config named NAME",
	Commit:     "commit timer WINDOW",
	Window: func(w time.Duration) string {
		n := int(w / time.Second)
		return fmt.Sprintf("%02d:%02d:%02d", n/3600, n/60%60, n%60)
	},
	Unit:    time.Second,
	Abandon: []string{"end", "configure session NAME abort"},
	Confirm: "configure session NAME commit",
	Cancel:  "configure session NAME abort",
	Save:    "write memory",
}

// iosxr is Cisco IOS XR. Sources: ArchRuger/CLAB-BACKUP-WORKER-v2, docs/multi-platform-restore, evidence/xr-live-facts.md, and its driver design_iosxr (seen on XRv 9000 24.3.1: `configure
// exclusive` and its refusals, "% WARNING" that is no failure, `show configuration merge` in the form of the running configuration, 30 to 65535 seconds, the table of sessions while a commit waits,
// a confirmation that counts only in the session that committed, `abort`, the undoing at the end of the timer and not before). What leaving a session does to a change that waits was seen to differ
// from what the router says of it, so nothing is undone but by time.
var iosxr = Platform{
	System:     "IOS XR",
	Definition: iosxrDefinition,
	Setup:      []string{"terminal length 0", "terminal width 511"},
	Exec:       "#",
	Config:     regexp.MustCompile(`^\(config[^()\n]*\)#$`),
	Question:   question,
	Harmless:   regexp.MustCompile(`^\s*% (?:WARNING|Confirming commit for trial session)`),
	Show:       "show running-config",
	End:        "end",
	Sessions:   "show configuration sessions detail",
	Waiting:    regexp.MustCompile(`(?m)\bClient:\s*(commit-confirm)\b`),
	Enter:      "configure exclusive",
	Busy:       regexp.MustCompile(`Cannot enter exclusive mode`),
	Staged:     "show configuration merge",
	Commit:     "commit confirmed WINDOW",
	Window:     func(w time.Duration) string { return fmt.Sprint(int(w / time.Second)) },
	Unit:       time.Second,
	Least:      30 * time.Second,
	Abandon:    []string{"abort"},
	Held:       true,
	Inside:     "do ",
	Confirm:    "commit",
	Sure:       regexp.MustCompile(`Confirming commit for trial session`),
}

// window returns for how long a device is to wait when undo is asked for: whole units.
func (p *Platform) window(undo time.Duration) time.Duration {
	return max((undo+p.Unit-1)/p.Unit*p.Unit, p.Unit, p.Least)
}
