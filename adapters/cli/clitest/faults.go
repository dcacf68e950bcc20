package clitest

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Fault is what goes wrong with one line.
type Fault struct {
	Cut       bool            // the connection breaks in the middle of the line, as soon as what was typed of it is found
	Hang      bool            // it is carried out never, and answered never
	DropAfter bool            // it is carried out, and the connection breaks before the answer
	Lose      bool            // it is answered as if it had been carried out, and is not
	Garble    bool            // the last octet of what was typed of it does not arrive, nor is it echoed
	Ask       string          // it is answered with a question, and not carried out
	Unasked   string          // something is printed in the middle of the answer that nobody asked for
	Words     string          // it is answered with these words, and not carried out
	Wait      <-chan struct{} // it is carried out when the channel is closed
	Truncate  int             // the answer ends after that many lines, if it is not 0
}

// faults are what is to go wrong.
type faults struct {
	mu      sync.Mutex
	next    []fault
	refused map[string]string
}

type fault struct {
	Fault
	line *regexp.Regexp
}

// Fail makes the next line that the regular expression finds something in go wrong. Called again before it came, the one after it.
func (s *Server) Fail(line string, f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.next = append(s.faults.next, fault{f, regexp.MustCompile(line)})
}

// Refuse makes the server refuse every line of configuration that has text in it, with these words.
func (s *Server) Refuse(text, words string) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.refused == nil {
		s.faults.refused = map[string]string{}
	}
	s.faults.refused[text] = words
}

// take returns the first fault that is right for what was typed, and forgets it.
func (f *faults) take(typed string, right func(Fault) bool) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, n := range f.next {
		if right(n.Fault) && n.line.MatchString(typed) {
			f.next = slices.Delete(f.next, i, i+1)
			return n.Fault, true
		}
	}
	return Fault{}, false
}

// cuts says whether the connection is to break here, in the middle of a line.
func (f *faults) cuts(typed string) bool {
	_, ok := f.take(typed, func(f Fault) bool { return f.Cut })
	return ok
}

// garbles says whether the last octet that was typed is to get lost.
func (f *faults) garbles(typed string) bool {
	_, ok := f.take(typed, func(f Fault) bool { return f.Garble })
	return ok
}

// entered returns what is to go wrong with a line that was entered.
func (f *faults) entered(line string) Fault {
	out, _ := f.take(line, func(f Fault) bool { return !f.Cut && !f.Garble })
	return out
}

func (f *faults) refuses(line string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for text, words := range f.refused {
		if strings.Contains(line, text) {
			return words
		}
	}
	return ""
}
