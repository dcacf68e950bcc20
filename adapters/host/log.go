package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// maxLine is the longest line of a plugin's log that is kept whole, in octets.
const maxLine = 16 << 10

// logLines takes what a plugin writes to standard error and logs it line by line. Lines in hclog's JSON keep their level and fields; every other line is
// logged as it is. Nothing that a plugin writes there can do more than be logged.
type logLines struct {
	log     *slog.Logger
	secrets *secrets // what must not be logged; nil: nothing

	mu    sync.Mutex
	buf   []byte
	skip  bool // inside a line that was too long
	tail  string
	panic string // the line with which a Go program says that it panics
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		rest = after
		if !l.skip {
			l.buf = append(l.buf, line[:min(len(line), maxLine-len(l.buf))]...)
		}
		if !whole && len(l.buf) < maxLine {
			break
		}
		if !l.skip {
			l.emit(l.buf)
		}
		l.buf, l.skip = l.buf[:0], !whole
	}
	return len(p), nil
}

// last returns the last line that was no JSON, or an error: what a program complains about that is no plugin, or does not come up.
func (l *logLines) last() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buf) > 0 {
		l.emit(l.buf)
		l.buf = l.buf[:0]
	}
	switch {
	case l.panic != "":
		return errors.New("it said: " + l.panic)
	case l.tail != "":
		return errors.New("it said: " + l.tail)
	}
	return nil
}

func (l *logLines) emit(line []byte) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	if l.secrets != nil {
		line = []byte(l.secrets.hide(string(line)))
	}
	var fields map[string]any
	message, ok := "", false
	if json.Unmarshal(line, &fields) == nil {
		message, ok = fields["@message"].(string)
	}
	if !ok {
		l.tail = strings.ToValidUTF8(string(line), "\uFFFD")
		if strings.HasPrefix(l.tail, "panic: ") || strings.HasPrefix(l.tail, "fatal error: ") {
			l.panic = l.tail
		}
		l.log.Info("plugin wrote", "line", l.tail)
		return
	}
	level, _ := fields["@level"].(string)
	if level == "error" {
		l.tail = message
		if why, ok := fields["error"].(string); ok {
			l.tail += ": " + why
		}
	}
	var attrs []any
	for _, k := range slices.Sorted(keys(fields)) {
		if !strings.HasPrefix(k, "@") {
			attrs = append(attrs, k, fields[k])
		}
	}
	l.log.Log(context.Background(), severity(level), message, attrs...)
}

func keys(m map[string]any) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func severity(level string) slog.Level {
	switch level {
	case "error":
		return slog.LevelError
	case "warn":
		return slog.LevelWarn
	case "info":
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
