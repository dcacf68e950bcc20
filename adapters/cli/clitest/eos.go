package clitest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// eos is the command line of EOS for one user. Its prompts, the table of sessions and the failures are those of Arista's manual and of public transcripts (see the table of platforms in
// package cli).
type eos struct {
	server     *Server
	privileged bool
	asking     bool // for the password of `enable`
	session    *session
	editor     editor
	whole      bool // paging is off
	left       bool
}

func newEOS(s *Server) *eos { return &eos{server: s, privileged: !s.opt.Unprivileged} }

func (e *eos) secret() bool { return e.asking }

func (e *eos) state() (whole, left bool) { return e.whole, e.left }

func (e *eos) prompt() string {
	host := e.server.opt.Hostname
	switch {
	case e.asking:
		return "Password: "
	case !e.privileged:
		return host + ">"
	case e.session == nil:
		return host + "#"
	}
	mode := "s-" + e.session.name[:min(6, len(e.session.name))]
	for _, n := range e.editor.path {
		word, name, _ := strings.Cut(n.line, " ")
		mode += "-" + map[string]string{"ip": "acl", "ipv6": "acl", "interface": "if", "traffic-policies": "traffic-policies", "traffic-policy": "traffic-policy"}[word]
		if name != "" {
			mode += "-" + name[strings.LastIndexByte(name, ' ')+1:]
		}
	}
	return host + "(config-" + mode + ")#"
}

// hangUp leaves sessions as they are.
func (e *eos) hangUp() {}

// pretend answers a line as if it had been carried out.
func (e *eos) pretend(line string) {
	if strings.HasPrefix(line, "commit") || line == "abort" || line == "end" {
		e.session = nil
	}
}

var (
	sessionCommand = regexp.MustCompile(`^configure session (\S+)(?: (commit|abort|commit timer (\d+):(\d\d):(\d\d)))?$`)
	sessionConfig  = regexp.MustCompile(`^show session-config(?: named (\S+))?$`)
	timerCommand   = regexp.MustCompile(`^commit timer (\d+):(\d\d):(\d\d)$`)
)

// run carries out a line, and returns what is printed.
func (e *eos) run(line string) string {
	switch {
	case e.asking:
		e.asking = false
		return "% Bad secret\n"
	case line == "":
		return ""
	case line == "enable":
		e.asking = !e.privileged
		return ""
	case strings.HasPrefix(line, "terminal width "):
		return ""
	case strings.HasPrefix(line, "terminal length "):
		e.whole = line == "terminal length 0"
		return ""
	case line == "exit" && (e.session == nil || len(e.editor.path) == 0):
		e.left, e.session = e.session == nil, nil
		return ""
	case !e.privileged:
		return "% Invalid input (privileged mode required)\n"
	}
	if text, known := e.show(line); known {
		return text
	}
	if m := sessionCommand.FindStringSubmatch(line); m != nil {
		return e.sessions(m)
	}
	if e.session == nil {
		return "% Invalid input (at token 0: '" + strings.Fields(line)[0] + "')\n"
	}
	return e.configure(line)
}

// show prints what there is to be seen.
func (e *eos) show(line string) (text string, known bool) {
	header := "! Command: %s\n! device: %s (vEOS-lab, EOS-4.29.1F)\n"
	switch m := sessionConfig.FindStringSubmatch(line); {
	case line == "show running-config":
		return fmt.Sprintf(header, line, e.server.opt.Hostname) + e.server.store.print(""), true
	case line == "show configuration sessions detail", line == "show configuration sessions":
		return e.server.store.list(), true
	case line == "write memory":
		e.server.saved.Add(1)
		return "Copy completed successfully.\n", true
	case m != nil:
		name := m[1]
		if name == "" && e.session != nil {
			name = e.session.name
		}
		config := e.server.store.print(name)
		if config == "" || name == "" {
			return fmt.Sprintf("%% Session %s not found\n", name), true
		}
		return fmt.Sprintf(header, "show session-configuration named "+name, e.server.opt.Hostname) + config, true
	}
	return "", false
}

// sessions carries out `configure session`, whose parts are m.
func (e *eos) sessions(m []string) string {
	switch name, what := m[1], m[2]; {
	case what == "":
		one, words := e.server.store.enter(name)
		if one == nil {
			return words
		}
		e.session, e.editor = one, editor{grammar: e.server.store.grammar, root: one.config}
		return ""
	case what == "abort":
		return e.server.store.abort(name)
	case what == "commit":
		return e.server.store.commit(name, 0)
	default:
		return e.server.store.commit(name, seconds(m[3:]))
	}
}

// configure carries out a line of a session.
func (e *eos) configure(line string) string {
	if words := e.server.faults.refuses(line); words != "" {
		return words + "\n"
	}
	name := e.session.name
	switch m := timerCommand.FindStringSubmatch(line); {
	case line == "end":
		e.session = nil
		return ""
	case line == "commit":
		e.session = nil
		return e.server.store.commit(name, 0)
	case m != nil:
		e.session = nil
		return e.server.store.commit(name, seconds(m[1:]))
	case line == "abort":
		e.session = nil
		return e.server.store.abort(name)
	}
	e.server.store.mu.Lock()
	defer e.server.store.mu.Unlock()
	return e.editor.line(line)
}

// seconds reads hours, minutes and seconds.
func seconds(hms []string) time.Duration {
	var out time.Duration
	for _, part := range hms {
		n, _ := strconv.Atoi(part)
		out = out*60 + time.Duration(n)*time.Second
	}
	return out
}
