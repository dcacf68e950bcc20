package netconftest

import (
	"strings"
	"sync"
)

// Fault is what goes wrong with one request.
type Fault struct {
	Hang      bool            // it is carried out never, and answered never
	Drop      bool            // the session breaks before it is carried out
	DropAfter bool            // it is carried out, and the session breaks before the answer
	Wait      <-chan struct{} // it is carried out when the channel is closed
	Lose      bool            // a commit that answers ok and does nothing, as one real server does after a validate
	WrongID   bool            // the answer names another request
	Words     string          // it is refused with these words
	Tag       string          // and this error-tag; "": operation-failed
}

// faults are what is to go wrong.
type faults struct {
	mu      sync.Mutex
	next    map[string][]Fault
	refused map[string]string
}

// Fail makes the next request of that name (such as "commit") go wrong. Called again before it came, the one after it.
func (s *Server) Fail(rpc string, f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.next == nil {
		s.faults.next = map[string][]Fault{}
	}
	s.faults.next[rpc] = append(s.faults.next[rpc], f)
}

// Refuse makes the server refuse every edit in which some element has that text, with these words.
func (s *Server) Refuse(text, words string) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.refused == nil {
		s.faults.refused = map[string]string{}
	}
	s.faults.refused[text] = words
}

func (f *faults) take(rpc string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.next[rpc]
	if len(list) == 0 {
		return Fault{}
	}
	f.next[rpc] = list[1:]
	return list[0]
}

func (f *faults) refuses(config *Node) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.refused) == 0 {
		return ""
	}
	var words string
	var look func(*Node)
	look = func(n *Node) {
		if w, ok := f.refused[strings.TrimSpace(n.Text)]; ok && n.Text != "" && words == "" {
			words = w
		}
		for _, k := range n.Kids {
			look(k)
		}
	}
	look(config)
	return words
}
