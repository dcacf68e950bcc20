package clitest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// vrp is the command line of VRP 8 in two-stage mode for one user, as Huawei's command references of NetEngine 8000 and CloudEngine show it.
type vrp struct {
	server *Server
	target *node // the candidate, nil in the user view
	view   *node // in it; nil: the system view
	dirty  bool
	ask    func() string // what a question that was answered with Y leads to
	whole  bool
	left   bool
}

func newVRP(s *Server) *vrp { return &vrp{server: s} }

func (*vrp) secret() bool { return false }

func (v *vrp) state() (whole, left bool) { return v.whole, v.left }

func (v *vrp) prompt() string {
	mark, view := "~", ""
	switch {
	case v.ask != nil:
		return ""
	case v.target == nil:
		return "<" + v.server.opt.Hostname + ">"
	case v.dirty:
		mark = "*"
	}
	if v.view != nil {
		w := strings.Fields(v.view.line)
		view = "-" + map[string]string{"acl": "acl4-advance-", "traffic": w[1] + "-"}[w[0]] + w[2]
	}
	return "[" + mark + v.server.opt.Hostname + view + "]"
}

// hangUp discards the candidate. A change that waits goes on waiting: it has a persistence ID.
func (v *vrp) hangUp() { v.target, v.view, v.dirty = nil, nil, false }

func (v *vrp) pretend(line string) {
	if line == "return" {
		v.hangUp()
	}
}

var (
	vrpCommit  = regexp.MustCompile(`^commit trial (\d+) persist (\S+)$`)
	vrpPersist = regexp.MustCompile(`^(commit|abort trial) persist (\S+)$`)
)

// run carries out a line.
func (v *vrp) run(line string) string {
	if do := v.ask; do != nil {
		if v.ask = nil; line == "Y" {
			return do()
		}
		return ""
	}
	switch line {
	case "":
		return ""
	case "screen-length 0 temporary":
		v.whole = true
		return ""
	case "display configuration trial status":
		return v.trial()
	case "display current-configuration":
		return "!Software Version V800R023C10\n!Last configuration was updated at 2026-05-04 13:47:14 UTC\n" + v.server.Running()
	case "system-view":
		if v.target == nil {
			s := v.server.store
			s.mu.Lock()
			defer s.mu.Unlock()
			v.target = s.running.clone()
			return "Enter system view, return user view with return command.\n"
		}
	case "quit":
		if v.target == nil {
			v.left = true
			return ""
		}
	}
	if v.target == nil {
		return unrecognized(line)
	}
	if words := v.server.faults.refuses(line); words != "" {
		return words + "\n"
	}
	return v.configure(line)
}

func unrecognized(line string) string {
	return strings.Repeat(" ", len(line)) + "^\nError: Unrecognized command found at '^' position.\n"
}

// trial prints whether a change waits for its confirmation.
func (v *vrp) trial() string {
	s := v.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == "" {
		return "Trial status: INACTIVE \nTrial time left (sec): 0\n"
	}
	return "Trial status: ACTIVE \nPersist id: " + s.waiting + "\nTrial time left (sec): 30\n"
}

// configure carries out a line outside of the user view.
func (v *vrp) configure(line string) string {
	s := v.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	commit, persist := vrpCommit.FindStringSubmatch(line), vrpPersist.FindStringSubmatch(line)
	switch {
	case line == "display configuration candidate merge":
		return v.target.sections()
	case line == "clear configuration candidate":
		v.target, v.view, v.dirty = s.running.clone(), nil, false
		return ""
	case line == "return" && v.dirty:
		v.ask = func() string { return "" }
		return "Warning: Uncommitted configurations found, commit them before exiting? [Y(yes)/N(no)/C(cancel)]:"
	case line == "return":
		v.hangUp()
		return ""
	case line == "quit":
		v.view = nil
		return ""
	case commit != nil:
		return v.commit(commit[1], commit[2])
	case persist != nil && s.waiting != persist[2]:
		return "Error: The persist ID is wrong.\n"
	case persist != nil && persist[1] == "commit":
		v.ask = func() string {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.stop()
			s.waiting, s.before = "", nil
			return ""
		}
		return "Warning: The trial configuration will be confirmed. Continue? [Y/N]:"
	case persist != nil:
		v.ask = func() string {
			if !s.undo(persist[2]) {
				return "Error: The trial configuration rollback failed.\n"
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			v.target, v.view = s.running.clone(), nil
			return "Info: The trial configuration rollback succeeded.\n"
		}
		return "Warning: The trial configuration will be rolled back. Continue? [Y/N]:"
	}
	view, words := v.target.vrp(v.view, line)
	v.view = view
	if words == "" && view != nil && view.line == line {
		return "" // a view was entered
	}
	v.dirty = v.dirty || words == ""
	return words
}

func (v *vrp) commit(seconds, name string) string {
	s := v.server.store
	n, err := strconv.Atoi(seconds)
	switch {
	case err != nil || n < 60:
		return "Error: Wrong parameter found at '^' position.\n"
	case s.waiting != "":
		return "Error: The system is in trial configuration mode.\n"
	}
	s.before, s.running, s.waiting = s.running, v.target.clone(), name
	s.stop = s.clock.AfterFunc(time.Duration(n)*time.Second, func() { s.undo(name) })
	v.dirty, v.view = false, nil
	return fmt.Sprintf("Info: The system enters the trial configuration mode.\nThe system will revert to previous configuration if the trial configuration is not confirmed in %d seconds.\n", n)
}

var (
	vrpView = regexp.MustCompile(`^(?:acl (?:ipv6 )?name \S+ advance|traffic (?:classifier|behavior|policy) \S+(?: operator or)?|interface \S+)$`)
	vrpUndo = regexp.MustCompile(`^undo (acl (?:ipv6 )?name|traffic (?:classifier|behavior|policy)) (\S+)$`)
	vrpUse  = map[string]string{"acl name": "if-match acl name %s", "acl ipv6 name": "if-match ipv6 acl name %s", "traffic classifier": "classifier %s behavior", "traffic policy": "traffic-policy %s inbound"}
)

// vrp carries out a line of configuration in a view of n, nil for the system view, and returns the view behind it and what is answered.
func (n *node) vrp(view *node, line string) (*node, string) {
	if vrpView.MatchString(line) {
		return n.enter(line), ""
	}
	if m := vrpUndo.FindStringSubmatch(line); m != nil {
		if use := vrpUse[m[1]]; use != "" && n.mentions(fmt.Sprintf(use, m[2])) || m[1] == "traffic behavior" && n.mentions(" behavior "+m[2]+" ") {
			return nil, "Error: It is in use.\n"
		}
		return nil, n.drop(m[1] + " " + m[2])
	}
	if view == nil {
		return nil, unrecognized(line)
	}
	what, undo := strings.CutPrefix(line, "undo ")
	if undo {
		return view, view.drop(what)
	}
	w := strings.Fields(line)
	switch {
	case w[0] == "rule" && len(w) > 3 && w[2] != "description" && view.starts("rule "+w[1]+" name ") >= 0:
		return view, "Error: The rule already exists.\n"
	case w[0] == "classifier" && (n.starts("traffic classifier "+w[1]+" ") < 0 || n.starts("traffic behavior "+w[3]) < 0):
		return view, "Error: It does not exist.\n"
	}
	view.enter(line)
	return view, ""
}

// starts returns where in n the first line begins with text, or -1.
func (n *node) starts(text string) int {
	return slices.IndexFunc(n.kids, func(k *node) bool { return strings.HasPrefix(k.line, text) })
}

// mentions says whether a line of a view has text in it, between others or at its end.
func (n *node) mentions(text string) bool {
	for _, view := range n.kids {
		for _, k := range view.kids {
			if strings.Contains(k.line+" ", strings.TrimSuffix(text, " ")+" ") {
				return true
			}
		}
	}
	return false
}

// drop deletes the lines that begin with these words.
func (n *node) drop(words string) string {
	before := len(n.kids)
	n.kids = slices.DeleteFunc(n.kids, func(k *node) bool { return k.line == words || strings.HasPrefix(k.line, words+" ") })
	if len(n.kids) == before {
		return "Error: It does not exist.\n"
	}
	return ""
}

// readSections reads a configuration as VRP prints it.
func readSections(text string) *node {
	root := &node{}
	var view *node
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\n"); line == "#" || line == "" {
			view = nil
		} else if line[0] == ' ' && view != nil {
			view.enter(strings.TrimSpace(line))
		} else {
			view = root.enter(line)
		}
	}
	return root
}

// sections prints a configuration as VRP does: rules in the order of their numbers, classifiers in that of their precedences.
func (n *node) sections() string {
	var b strings.Builder
	for _, view := range n.kids {
		b.WriteString("#\n" + view.line + "\n")
		kids := slices.Clone(view.kids)
		slices.SortStableFunc(kids, func(x, y *node) int { return cmp.Compare(place(x.line), place(y.line)) })
		for _, k := range kids {
			b.WriteString(" " + k.line + "\n")
		}
	}
	return b.String() + "#\nreturn\n"
}

func place(line string) int {
	w := strings.Fields(line)
	at := ""
	switch {
	case w[0] == "rule":
		at = w[1]
	case w[0] == "classifier":
		at = w[len(w)-1]
	}
	place, _ := strconv.Atoi(at)
	return place
}
