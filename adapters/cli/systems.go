package cli

import (
	_ "embed"
	"fmt"
	"regexp"
	"time"
)

//go:embed platforms/eos.yaml
var eosDefinition []byte

//go:embed platforms/iosxr.yaml
var iosxrDefinition []byte

//go:embed platforms/junos.yaml
var junosDefinition []byte

//go:embed platforms/sros.yaml
var srosDefinition []byte

//go:embed platforms/vrp.yaml
var vrpDefinition []byte

// platforms are the systems that this package can speak to, by the name of the dialect.
var platforms = map[string]Platform{
	"eos":     aristaEOS,
	"eos-acl": aristaEOS,
	"iosxr":   ciscoIOSXR,
	"junos":   juniperJunos,
	"sros":    nokiaSROS,
	"vrp":     huaweiVRP,
}

// question is what the systems ask: whether to go on with the next page, for a password, whether one is sure.
var question = regexp.MustCompile(`(?i)(?:--\s?More\s?--|password:|\[confirm\]|\[(?:y/n|yes/no|no|yes|cancel)\]:?|\(yes/no(?:/cancel)?\)\??)\s*\z`)

// aristaEOS is Arista EOS. Sources: Arista's manual, "Configure Session" and "Session Management commands"; napalm-automation/napalm, napalm/eos/eos.py (confirmation and abort
// from outside of the session); ArchRuger/CLAB-BACKUP-WORKER-v2, docs/multi-platform-restore (seen on cEOS 4.35.0F: the table of sessions, a session that is left behind by a cut, the undoing at the
// end of the timer, a confirmation over another connection, "% " in front of every failure); aristanetworks/cvprac, test data (a session's configuration as vEOS-lab 4.28.3M and 4.29.1F print
// it, closed by "end").
var aristaEOS = Platform{
	System:     "EOS",
	Definition: eosDefinition,
	Setup:      []string{"terminal length 0", "terminal width 511"},
	Exec:       "#",
	Config:     regexp.MustCompile(`^\(config-s-[^()\n]+\)#$`),
	Question:   question,
	Show:       "show running-config",
	End:        "end",
	Routes:     eosRoutes,
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
	Leave:   []string{"end"},
	Forget:  "configure session NAME abort",
	Confirm: "configure session NAME commit",
	Cancel:  "configure session NAME abort",
	Save:    "write memory",
}

// ciscoIOSXR is Cisco IOS XR. Sources: ArchRuger/CLAB-BACKUP-WORKER-v2, docs/multi-platform-restore, evidence/xr-live-facts.md, and its driver design_iosxr (seen on XRv 9000 24.3.1: `configure
// exclusive` and its refusals, "% WARNING" that is no failure, `show configuration merge` in the form of the running configuration, 30 to 65535 seconds, the table of sessions while a commit waits,
// a confirmation that counts only in the session that committed, `abort`, the undoing at the end of the timer and not before). What leaving a session does to a change that waits was seen to differ
// from what the router says of it, so nothing is undone but by time.
var ciscoIOSXR = Platform{
	System:     "IOS XR",
	Definition: iosxrDefinition,
	Setup:      []string{"terminal length 0", "terminal width 511"},
	Exec:       "#",
	Config:     regexp.MustCompile(`^\(config[^()\n]*\)#$`),
	Question:   question,
	Harmless:   regexp.MustCompile(`^\s*% (?:WARNING|Confirming commit for trial session)`),
	Show:       "show running-config",
	End:        "end",
	Routes:     iosxrRoutes,
	Sessions:   "show configuration sessions detail",
	Waiting:    regexp.MustCompile(`(?m)\bClient:\s*(commit-confirm)\b`),
	Nameless:   true,
	Enter:      "configure exclusive",
	Busy:       regexp.MustCompile(`Cannot enter exclusive mode`),
	Staged:     "show configuration merge",
	Commit:     "commit confirmed WINDOW",
	Window:     func(w time.Duration) string { return fmt.Sprint(int(w / time.Second)) },
	Unit:       time.Second,
	Least:      30 * time.Second,
	Late:       3 * time.Second,
	Leave:      []string{"abort"},
	Held:       true,
	Inside:     "do ",
	Confirm:    "commit",
	Sure:       regexp.MustCompile(`Confirming commit for trial session`),
}

// juniperJunos is Juniper Junos. Sources: ArchRuger/CLAB-BACKUP-WORKER-v2, docs/multi-platform-restore, evidence/evo-live-facts.md and README.md (seen on cJunosEvolved 26.2R1.7 and vJunos-switch 23.2R1.14: prompts
// with [edit] above them, `configure exclusive` that is refused while somebody edits and that leaves nothing behind when it breaks, `commit confirmed MINUTES comment TEXT`, what `show system commit` shows
// while a commit waits, `commit check` that confirms, the undoing up to 35 s late); Juniper's CLI guide ("commit confirmed", "display inheritance"). The candidate stays locked until the
// confirmation: any other commit would confirm the change.
var juniperJunos = Platform{
	System:     "Junos",
	Definition: junosDefinition,
	Setup:      []string{"set cli screen-length 0", "set cli screen-width 511", "set cli complete-on-space off"},
	Exec:       ">",
	Config:     regexp.MustCompile(`^#$`),
	Above:      regexp.MustCompile(`(?:\A|\n)\s*(?:\{[^{}\n]*\})?(?:\[edit[^\]\n]*\])?\s*\z`),
	Question:   regexp.MustCompile(`(?i)(?:---\(more[^)\n]*\)---|password:|\[yes,no\](?: \((?:yes|no)\))?)\s*\z`),
	Show:       "show configuration | display inheritance no-comments",
	Counters:   "show firewall",
	Template:   junosFirewall,
	Routes:     junosRoutes,
	Sessions:   "show system commit",
	Waiting:    regexp.MustCompile(`(?m)^0\s.*commit confirmed.*\n(?:[ \t]+(\S.*)\n)??[ \t]+rollback pending`),
	Enter:      "configure exclusive",
	Busy:       regexp.MustCompile(`configuration database (?:locked|modified)`),
	Staged:     "show | display inheritance no-comments",
	Commit:     "commit confirmed WINDOW comment NAME",
	Window:     func(w time.Duration) string { return fmt.Sprint(int(w / time.Minute)) },
	Unit:       time.Minute,
	Late:       40 * time.Second,
	Done:       regexp.MustCompile(`commit complete`),
	Leave:      []string{"rollback 0", "exit configuration-mode"},
	Held:       true,
	Inside:     "run ",
	Confirm:    "commit check",
	Sure:       regexp.MustCompile(`configuration check succeeds`),
}

// nokiaSROS is Nokia SR OS with the MD-CLI. Sources: the lab "Introduction to the SR OS Model-Driven CLI" of SReXperts 2026 (hack.srexperts.net, activity 29, on SR OS 26.3: what `commit confirmed` and `commit confirmed
// accept` print, `edit-config exclusive` that is refused while somebody edits, that leaving the mode or a broken connection undoes what waits); other labs of the same (what `edit-config exclusive` prints, one leaf a line
// with its path, `delete` with a path); Nokia's MD-CLI User Guide ("The MD-CLI command prompt", the marks in it; explicit configuration workflow); scrapligo's definition and netmiko's nokia_sros.py (`environment`,
// `exit all`, `discard`, `quit-config`); a tool that pushes services by `commit confirmed 1`, tried on a router (minutes, the marks of failures). What shows that a commit of somebody else waits is not known. How late a
// router undoes a change neither: the longest that was seen of any is taken.
var nokiaSROS = Platform{
	System:     "SR OS",
	Definition: srosDefinition,
	Setup:      []string{"environment more false", "environment console width 512", "environment command-completion space false"},
	Exec:       "#",
	Config:     regexp.MustCompile(`^\(ex\)#$`),
	Above:      regexp.MustCompile(`(?:\A|\n)[ \t]*[!*]{0,2}(\([a-z]{2}\))?\[[^\]\n]*\]\s*\z`),
	TwoLines:   true,
	Question:   regexp.MustCompile(`(?i)(?:press any key to continue.*|password:|\[y,n\]|\(y/n\)\??)\s*\z`),
	Show:       "admin show configuration",
	Enter:      "edit-config exclusive",
	Busy:       regexp.MustCompile(`Exclusive datastore access unavailable`),
	Staged:     "info",
	Commit:     "commit confirmed WINDOW",
	Window:     func(w time.Duration) string { return fmt.Sprint(int(w / time.Minute)) },
	Unit:       time.Minute,
	Late:       40 * time.Second,
	Done:       regexp.MustCompile(`Commit confirmed - automatic rollback in`),
	Leave:      []string{"exit all", "discard", "quit-config"},
	Held:       true,
	Confirm:    "commit confirmed accept",
	Sure:       regexp.MustCompile(`Commit confirmed - accepted`),
}

// huaweiVRP is Huawei VRP 8 in two-stage mode. Sources: Huawei's command references of NetEngine 8000 and CloudEngine ("commit", "abort trial", "display configuration trial status", "display configuration candidate": what
// they print, 60 to 65535 seconds, a persistent trial run that any session confirms, the marks in prompts); annet of Yandex, which deploys by `commit trial SECONDS persist ID`, `commit persist ID` and `abort trial persist ID`
// and answers what these two ask; Ansible's ce module (`clear configuration candidate`, `return`); scrapligo's definition. How late a router undoes a change nobody has said: the longest that was seen of any is taken.
var huaweiVRP = Platform{
	System:     "VRP",
	Definition: vrpDefinition,
	Setup:      []string{"screen-length 0 temporary"},
	Exec:       "<>",
	Config:     regexp.MustCompile(`^\[[~*](?:-[^\]\n]*)?\]$`),
	Before:     regexp.MustCompile(`^(?:<|\[[~*]?)`),
	After:      regexp.MustCompile(`(?:>|(?:-[^\]\n]*)?\])`),
	Question:   regexp.MustCompile(`(?i)(?:---- more ----|password:|\[y(?:\(yes\))?/n(?:\(no\))?(?:/c(?:\(cancel\))?)?\]:?)\s*\z`),
	Agree:      regexp.MustCompile(`The trial configuration will be (?:confirmed|rolled back)\. Continue\? ?\[Y/N\]:?\s*\z`),
	Show:       "display current-configuration",
	Sessions:   "display configuration trial status",
	Waiting:    regexp.MustCompile(`(?m)^Trial status:\s*(?:ACTIVE|CANCELING|WAITCANCEL)[ \t]*\n(?:Persist id:[ \t]*(\S+))?`),
	Enter:      "system-view",
	Staged:     "display configuration candidate merge",
	Commit:     "commit trial WINDOW persist NAME",
	Window:     func(w time.Duration) string { return fmt.Sprint(int(w / time.Second)) },
	Unit:       time.Second,
	Least:      60 * time.Second,
	Late:       40 * time.Second,
	Done:       regexp.MustCompile(`The system enters the trial configuration mode`),
	Stays:      true,
	Leave:      []string{"clear configuration candidate", "return"},
	Confirm:    "system-view\ncommit persist NAME\nreturn",
	Cancel:     "system-view\nabort trial persist NAME\nreturn",
}
