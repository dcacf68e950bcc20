package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/scrapli/scrapligo/driver/network"
	"github.com/scrapli/scrapligo/driver/options"
	scrapli "github.com/scrapli/scrapligo/platform"

	"github.com/sluice-gateway/sluice/adapters/internal/sessions"
	"github.com/sluice-gateway/sluice/core/device"
)

const (
	defaultTimeout = 30 * time.Second       // of one exchange, where the target names none
	readDelay      = 100 * time.Microsecond // between two looks at what the device has printed
	mostWords      = 500                    // octets of a device's words that an error quotes
)

// shell is a terminal session with a device. It is used by one caller at a time.
type shell struct {
	platform *Platform
	driver   *network.Driver
	stream   *stream
	target   device.Target
	timeout  time.Duration
	host     string // what stands in front of every prompt
	prompt   string // the last one, without the host's name
	dead     error  // why it is of no use any more
	hung     bool   // dead because an answer did not come in time
}

// open makes a session with t's device, with paging off.
func open(ctx context.Context, t device.Target, p *Platform, agent string, log *slog.Logger) (*shell, error) {
	timeout := t.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	dialling, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	st, err := dial(dialling, t, agent, log)
	if err != nil {
		return nil, err
	}
	s := &shell{platform: p, stream: st, target: t, timeout: timeout}
	if err := s.start(ctx); err != nil {
		s.Kill(err)
		return nil, err
	}
	return s, nil
}

// start brings the session to the prompt of a privileged user.
func (s *shell) start(ctx context.Context) error {
	// scrapligo's own time-out ends nothing that blocks; ours closes the connection, and comes first.
	p, err := scrapli.NewPlatform(s.platform.Definition, s.target.Name, options.WithCustomTransport(s.stream), options.WithTimeoutOps(2*s.timeout),
		options.WithReadDelay(readDelay))
	if err != nil {
		return fmt.Errorf("the definition of %s: %w", s.platform.System, err)
	}
	if s.driver, err = p.GetNetworkDriver(); err != nil {
		return fmt.Errorf("the definition of %s: %w", s.platform.System, err)
	}
	if err := s.bounded(ctx, "begin the session", s.driver.Open); err != nil {
		return err
	}
	err = s.bounded(ctx, "reach the prompt of a privileged user, without a password", func() error { return s.driver.AcquirePriv(s.driver.DefaultDesiredPriv) })
	if err != nil {
		return err
	}
	if err := s.learnPrompt(ctx); err != nil {
		return err
	}
	s.stream.ours()
	for _, line := range s.platform.Setup {
		if _, err := s.ask(ctx, line); err != nil {
			return err
		}
	}
	return nil
}

// learnPrompt asks for the prompt until it looks the same twice, and from then on takes nothing else for one: not what a banner or a listing may look like.
func (s *shell) learnPrompt(ctx context.Context) error {
	last := ""
	for range 5 {
		var prompt string
		err := s.bounded(ctx, "learn the prompt", func() (err error) {
			prompt, err = s.driver.GetPrompt()
			return err
		})
		if err != nil {
			return err
		}
		prompt = strings.TrimSpace(prompt)
		front := s.platform.front(prompt)
		behind, begins := strings.CutPrefix(s.platform.Exec, front)
		if host, ok := strings.CutSuffix(prompt[len(front):], behind); ok && begins && prompt == last && host != "" {
			s.host = host
			s.driver.Channel.PromptPattern = s.platform.prompts(host)
			return nil
		}
		last = prompt
	}
	return &device.Transient{Err: errors.New("the prompt looks different each time")}
}

// bounded carries out f, which talks to the device, and closes the connection when the time is up or ctx ends. Every error ends the session: nobody knows any more which answer belongs
// to which question. What scrapligo says of an error is left out, it may quote what was on the terminal.
func (s *shell) bounded(ctx context.Context, what string, f func() error) error {
	if s.dead != nil {
		return &device.Transient{Err: fmt.Errorf("%s: the session is gone: %w", what, s.dead)}
	}
	if ctx.Err() != nil {
		return &device.Transient{Err: fmt.Errorf("%s: %w", what, ctx.Err())}
	}
	err := sessions.Bounded(ctx, s.timeout, func() { _ = s.stream.Close() }, f)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, sessions.ErrNoAnswer):
		err = fmt.Errorf("no answer that ends in a prompt within %s", s.timeout)
		s.hung = true
	default:
		err = errors.New("the connection broke")
	}
	s.Kill(err)
	return &device.Transient{Err: fmt.Errorf("%s: %w", what, err)}
}

// Dead says why the session is of no use any more.
func (s *shell) Dead() error { return s.dead }

// Hung says that it is dead because an answer did not come in time.
func (s *shell) Hung() bool { return s.hung }

// Kill ends the session at once.
func (s *shell) Kill(why error) {
	if s.dead == nil {
		s.dead = cmp.Or(why, errors.New("closed"))
	}
	_ = s.stream.Close()
	if s.driver != nil {
		_ = s.driver.Channel.Close()
	}
	<-s.stream.ended
}

// Close ends the session with a farewell.
func (s *shell) Close() {
	if s.dead == nil {
		_ = s.stream.Write(append([]byte("exit"), s.driver.Channel.ReturnChar...))
	}
	s.Kill(nil)
}

// answer is what a device prints behind a line.
type answer struct {
	text   string
	prompt string // without the host's name
	failed error  // a string of a failure is in it
}

// say types one line and waits for the prompt behind it. The line is entered only when the device has echoed it as it was typed.
func (s *shell) say(ctx context.Context, line string) (answer, error) {
	var a answer
	err := s.bounded(ctx, quote(line), func() error {
		printed, err := s.exchange(line)
		if err == nil {
			a = s.split(printed)
			a.failed, s.prompt = s.failed(printed), a.prompt
		}
		return err
	})
	if err == nil && a.prompt == "" && s.platform.Agree != nil && s.platform.Agree.MatchString(a.text) {
		return s.agree(ctx, a)
	}
	if err == nil && a.prompt == "" {
		err = &device.Transient{Err: fmt.Errorf("%s: the device asks something in place of a prompt: %s", quote(line), s.words(lastLine(a.text)))}
		s.Kill(err)
	}
	return a, err
}

// agree answers the question that ends an answer, which a line of ours leads to.
func (s *shell) agree(ctx context.Context, asked answer) (answer, error) {
	a, err := s.say(ctx, "Y")
	a.text = asked.text + "\n" + a.text
	return a, err
}

// sayAll types lines one after another, and returns what is printed behind all of them. It ends at the first that fails, and a session that is then not where commands are typed ends with it.
func (s *shell) sayAll(ctx context.Context, lines string) (answer, error) {
	var out answer
	for _, line := range strings.Split(lines, "\n") {
		a, err := s.say(ctx, line)
		out.text, out.prompt, out.failed = strings.TrimSpace(out.text+"\n"+a.text), a.prompt, a.failed
		if err != nil {
			return out, err
		}
		if (refusal(a.text, s.platform.Harmless) != "" || a.failed != nil) && strings.Contains(lines, "\n") {
			s.Kill(fmt.Errorf("%s: %s", quote(line), s.words(a.text)))
			return out, nil
		}
	}
	return out, nil
}

// askAll is ask for several lines.
func (s *shell) askAll(ctx context.Context, lines string) error {
	a, err := s.sayAll(ctx, lines)
	if err != nil {
		return err
	}
	if err := s.refused(lines, a); err != nil || a.prompt == s.platform.Exec {
		return err
	}
	return s.lost(lines, a)
}

// split takes the prompt off what a device printed.
func (s *shell) split(printed string) answer {
	printed = strings.TrimRight(printed, " \t\n")
	last := lastLine(printed)
	front := s.platform.front(last)
	rest, ours := strings.CutPrefix(last[len(front):], s.host)
	if !ours {
		return answer{text: printed}
	}
	text, prompt := strings.TrimSuffix(printed, last), front+strings.TrimSpace(rest)
	if s.platform.TwoLines {
		above := s.platform.Above.FindStringSubmatch(text)
		if above == nil {
			return answer{text: printed}
		}
		prompt = above[1] + prompt
	}
	if s.platform.Above != nil {
		text = s.platform.Above.ReplaceAllString(text, "")
	}
	return answer{text: strings.Trim(text, "\n"), prompt: prompt}
}

func lastLine(text string) string { return text[strings.LastIndexByte(text, '\n')+1:] }

// ask types a command that leads back to where commands are typed, and returns what it prints.
func (s *shell) ask(ctx context.Context, line string) (string, error) {
	a, err := s.say(ctx, line)
	if err != nil {
		return "", err
	}
	if a.prompt != s.platform.Exec {
		return "", s.lost(line, a)
	}
	return a.text, s.refused(line, a)
}

// inside types a command where configuration is typed, and returns what it prints.
func (s *shell) inside(ctx context.Context, line string) (string, error) {
	a, err := s.say(ctx, line)
	if err != nil {
		return "", err
	}
	if !s.platform.Config.MatchString(a.prompt) {
		return "", s.lost(line, a)
	}
	return a.text, s.refused(line, a)
}

// fewLines is how many lines a refusal has at most, with the time in front and the mark below what is wrong.
const fewLines = 4

// refused returns the refusal of a command that prints something: a few lines, since what else is printed may have anything in it.
func (s *shell) refused(line string, a answer) error {
	lines := strings.SplitN(a.text, "\n", fewLines+1)
	first := strings.Join(lines[:min(len(lines), fewLines)], "\n")
	if len(lines) > fewLines {
		a.failed = nil
		first = lines[0]
	}
	if refusal(first, s.platform.Harmless) == "" && a.failed == nil {
		return nil
	}
	return &device.Refused{Words: quote(line) + ": " + s.words(a.text)}
}

// configure types a line that prints nothing, and leads to a prompt that is right. Its answer must be no failure.
func (s *shell) configure(ctx context.Context, line string, right func(prompt string) bool) (string, error) {
	a, err := s.say(ctx, line)
	if err != nil {
		return "", err
	}
	if why := refusal(a.text, s.platform.Harmless); why != "" || a.failed != nil {
		return a.text, &device.Refused{Words: quote(line) + ": " + s.words(cmp.Or(why, a.text))}
	}
	if !right(a.prompt) {
		return a.text, s.lost(line, a)
	}
	return a.text, nil
}

// lost ends a session that is not where it should be.
func (s *shell) lost(line string, a answer) error {
	err := &device.Transient{Err: fmt.Errorf("%s: the device is at another prompt than it should be, %q, and says: %s", quote(line), a.prompt, s.words(a.text))}
	s.Kill(err)
	return err
}

// failureLine is a line with which the systems say that they did not do what they were told.
var failureLine = regexp.MustCompile(`(?m)^\s*(?:%|[Ee]rror:).*$`)

// refusal returns the lines of text that say that something failed, or "".
func refusal(text string, harmless *regexp.Regexp) string {
	var out []string
	for _, line := range failureLine.FindAllString(text, -1) {
		if harmless == nil || !harmless.MatchString(line) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}

// words returns what a device says for an error: not too much of it, and without the secrets of the target.
func (s *shell) words(text string) string {
	for _, secret := range []device.Secret{s.target.Password, s.target.PrivateKey} {
		if secret != "" {
			text = strings.ReplaceAll(text, string(secret), secret.String())
		}
	}
	if text = strings.TrimSpace(text); len(text) > mostWords {
		text = strings.ToValidUTF8(text[:mostWords], "") + "..."
	}
	return text
}

func quote(line string) string { return fmt.Sprintf("%q", line) }
