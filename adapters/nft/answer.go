package nft

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/device"
)

//go:embed far.sh
var farScript string

// What the functions of far.sh return.
const (
	refused = iota + 1 // nft did not do it, and said why
	killed             // nft was ended before it was done
	absent             // there is no such program
	gone               // the change does not wait any more
	lost               // we do not have the lock any more
	busy               // somebody else has it
	short              // what was sent did not come whole
	failed             // anything else, which was said in words
)

// shellCommand has the shell of a user read a script of so many octets from its input and run it, and leave the rest of the input to the script. It is the same in every shell that a user may have.
func shellCommand(script string) string {
	return fmt.Sprintf(`exec /bin/sh -c 'eval "$(dd bs=$0 count=1 iflag=fullblock 2>/dev/null)"' %d`, len(script))
}

// script returns what calls a function of far.sh. Whatever an argument holds is one word, and no part of the script.
func script(nonce, dir, function string, args ...string) string {
	line := "{ answer" // what is cut off on the way has no end, and is not run
	for _, word := range append([]string{nonce, dir, function}, args...) {
		line += " '" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return farScript + line + "; }\n"
}

// answer is how a function of far.sh ended.
type answer struct {
	said   []byte
	status int
	words  string // on standard error
}

// mostNoise is how much an error quotes of what is no answer.
const mostNoise = 500

// readAnswer reads what stands between the marks of a nonce. What comes before is of the user's shell, and all that there is where that is none.
func readAnswer(r *bufio.Reader, nonce string) (said []byte, status int, err error) {
	mark := "sluice " + nonce + " "
	begun := false
	for {
		line, err := r.ReadBytes('\n')
		if err != nil && !begun {
			return bytes.TrimSpace(append(said, line...)), 0, err
		}
		if err != nil {
			return nil, 0, err
		}
		rest, ours := strings.CutPrefix(string(line), mark)
		switch n, ended := strings.CutPrefix(strings.TrimSuffix(rest, "\n"), "end "); {
		case ours && begun && ended:
			status, err := strconv.Atoi(n)
			return bytes.TrimSuffix(said, []byte("\n")), status, err // the line's end is the mark's
		case ours && rest == "begin\n":
			begun, said = true, nil
		case begun || len(said) < mostNoise:
			said = append(said, line...)
		}
	}
}

// wordsOf returns what a function said on standard error.
func wordsOf(stderr, nonce string) string {
	_, words, ours := strings.Cut(stderr, "sluice "+nonce+" begin\n")
	if !ours {
		words = stderr
	}
	return strings.TrimSpace(words)
}

// err returns what the status of an answer means.
func (a answer) err(program []string) error {
	what := strings.Join(program, " ")
	switch a.status {
	case 0:
		return nil
	case refused:
		return &device.Refused{Words: a.words}
	case killed:
		return transient(false, "%s was ended before it was done: %s", what, a.words)
	case absent:
		return fmt.Errorf("%s does not run on the device: %s; install the package nftables, iproute2 for the option netns, and coreutils", what, a.words)
	case gone:
		return &device.Refused{Words: "the change is not pending any more: it was undone, or confirmed before"}
	case lost:
		return transient(false, "the device has taken us for dead, since it heard nothing for %v, and given the lock to others", silence)
	case busy:
		return transient(true, "the device is being worked on by others")
	case short:
		return transient(false, "a script did not reach the device whole")
	}
	return fmt.Errorf("the device says: %s", a.words)
}
