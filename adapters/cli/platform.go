package cli

import (
	"regexp"
	"strings"
	"time"
)

// Platform is how one system is spoken to. It is data: what is typed, and how the answers look. In what is typed, NAME stands for the name of the configuration session, where a
// system has such names.
type Platform struct {
	System     string // for people
	Definition []byte // scrapligo's: levels, prompts and the strings of failures

	Setup  []string       // typed once, at the start; one at least
	Exec   string         // the prompt behind the host's name where commands are typed
	Config *regexp.Regexp // and the one where configuration is, from ^ to $
	Above  *regexp.Regexp // what is printed above a prompt and belongs to it, to the end; nil: nothing
	// TwoLines: a prompt has a line above, which Above finds, and says with its first group in which mode it is. That stands in front of the prompt in Exec and Config.
	TwoLines bool
	// Before and After are what stands in front of the host's name in a prompt, from ^, and behind it; a prompt is both of them then, without the name. nil: nothing is in front.
	Before, After *regexp.Regexp
	Question      *regexp.Regexp // what the system asks in place of a prompt
	Agree         *regexp.Regexp // the one question that is answered with Y, since a line of ours leads to it; nil: none
	Harmless      *regexp.Regexp // a line of an answer that begins like a failure, and is none

	Show string // prints the running configuration, typed where commands are
	End  string // the last line of a configuration that was printed whole; "": the dialect knows

	Counters string // prints what filters have counted, typed where commands are; "": it is not read
	Template string // the TextFSM template that reads it, see readCounters
	Routes   Routes // the same of FlowSpec routes

	Sessions string         // prints who is at what, typed where commands are; "": there is no such command
	Waiting  *regexp.Regexp // in it: a change that waits for its confirmation, and the name of its session
	Nameless bool           // what Waiting finds has no name: it may be anybody's
	Leftover *regexp.Regexp // in it: a session of ours that was cut off

	Enter  string                     // begins a session
	Busy   *regexp.Regexp             // its answer while somebody else is at work
	Staged string                     // prints in a session what runs after its commit
	Commit string                     // makes it run for the time being; WINDOW stands for the time
	Window func(time.Duration) string // writes it; whole units, Least at least
	Unit   time.Duration              // in which a window is counted
	Least  time.Duration              // the shortest window
	Late   time.Duration              // how much later than it should a device was seen to undo a change
	Done   *regexp.Regexp             // what the answer to a commit must have in it; nil: nothing
	Stays  bool                       // a commit leads to no other prompt, and Leave is typed after it
	Leave  []string                   // leads out of a session, typed in it; without a commit what was typed there is gone, or waits for Forget
	Forget string                     // forgets a session that was left; "": there is nothing to forget

	// Held: only the session that made a change can confirm it, and it has to stay open until then.
	Held    bool
	Inside  string         // stands in front of a command that is typed where configuration is
	Confirm string         // makes a change stay, in one line or several: typed where commands are, or in the session that is held
	Sure    *regexp.Regexp // what its answer must have in it; nil: nothing
	Cancel  string         // undoes it now, typed in the same place and way; "": only time does
	Save    string         // makes the running configuration outlive a reboot; "": it does
}

// window returns for how long a device is to wait when undo is asked for: whole units.
func (p *Platform) window(undo time.Duration) time.Duration {
	return max((undo+p.Unit-1)/p.Unit*p.Unit, p.Unit, p.Least)
}

// front returns what stands in front of the host's name in a line that may be a prompt.
func (p *Platform) front(line string) string {
	if p.Before == nil {
		return ""
	}
	return p.Before.FindString(line)
}

// prompts returns the pattern of the prompts of a host.
func (p *Platform) prompts(host string) *regexp.Regexp {
	host = regexp.QuoteMeta(host)
	if p.Before != nil {
		return regexp.MustCompile(`(?m)` + p.Before.String() + host + p.After.String() + `[ \t]?\z`)
	}
	config := strings.TrimSuffix(strings.TrimPrefix(p.Config.String(), "^"), "$")
	return regexp.MustCompile(`(?m)^` + host + `(?:` + regexp.QuoteMeta(p.Exec) + `|` + config + `)[ \t]?\z`)
}
