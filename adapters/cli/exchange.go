package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/scrapli/scrapligo/util"
)

// lately is how many octets of what a device prints are looked at for a prompt: of a listing, the last.
const lately = 1000

// exchange types a line, enters it when the device has echoed it as it was typed, and returns what is printed from there to the end of a prompt or of a question. It does what scrapligo's SendCommand does, which
// looks for what was printed again and again, with pauses that add up to milliseconds for each line.
func (s *shell) exchange(line string) (string, error) {
	_, _ = s.stream.take(false) // what came late, or unasked
	if err := s.stream.Write([]byte(line)); err != nil {
		return "", err
	}
	if _, err := s.until(func(b []byte) bool { return bytes.Contains(b, []byte(line)) }); err != nil {
		return "", err
	}
	if err := s.stream.Write(s.driver.Channel.ReturnChar); err != nil {
		return "", err
	}
	printed, err := s.until(func(b []byte) bool {
		b = end(b)
		return s.driver.Channel.PromptPattern.Match(b) || s.platform.Question.Match(b)
	})
	return tidy(string(printed)), err
}

// until reads what the device prints until that is enough, or the connection is gone.
func (s *shell) until(enough func([]byte) bool) ([]byte, error) {
	var all []byte
	for {
		b, err := s.stream.next()
		if err != nil {
			return nil, err
		}
		if all = append(all, plain(b)...); enough(all) {
			return all, nil
		}
	}
}

// plain takes out what moves the cursor.
func plain(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r"), nil)
	if bytes.IndexByte(b, 0x1b) >= 0 {
		b = util.StripANSI(b)
	}
	return b
}

// end returns the last lines of b, whole ones unless a line is longer than that.
func end(b []byte) []byte {
	if len(b) <= lately {
		return b
	}
	b = b[len(b)-lately:]
	return b[max(bytes.IndexByte(b, '\n'), 0):]
}

// tidy takes the blanks off the ends of lines, and empty lines off both ends.
func tidy(printed string) string {
	lines := strings.Split(printed, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// failed says that one of the platform's strings of failure is in what a device printed.
func (s *shell) failed(printed string) error {
	for _, words := range s.driver.FailedWhenContains {
		if strings.Contains(printed, words) {
			return fmt.Errorf("it says %q", words)
		}
	}
	return nil
}
