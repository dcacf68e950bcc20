package certificate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Read decodes exactly one certificate. It takes what Write writes, white space aside, and nothing else: no member that it does not know, none twice, none
// in another case, nothing behind the end. What a person reads in the file is then what a checker checks.
func Read(b []byte) (*Certificate, error) {
	var head struct {
		Version *int `json:"sluice-certificate"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("not a certificate: %w", err)
	}
	switch {
	case head.Version == nil:
		return nil, errors.New(`not a certificate: it does not begin with "sluice-certificate"`)
	case *head.Version < Version:
		return nil, fmt.Errorf("a certificate of version %d; this program reads version %d. The sluice that wrote it can check it, and a new one can be made of the same rules", *head.Version, Version)
	case *head.Version > Version:
		return nil, fmt.Errorf("a certificate of version %d; this program reads version %d", *head.Version, Version)
	}
	c := &Certificate{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, fmt.Errorf("not a certificate: %w", err)
	}
	var given, again, own bytes.Buffer
	if err := errors.Join(json.Compact(&given, b), Write(&own, c), json.Compact(&again, own.Bytes())); err != nil {
		return nil, fmt.Errorf("not a certificate: %w", err)
	}
	if !bytes.Equal(given.Bytes(), again.Bytes()) {
		at := 0
		for at < min(given.Len(), again.Len()) && given.Bytes()[at] == again.Bytes()[at] {
			at++
		}
		around := given.Bytes()[max(0, at-20):min(given.Len(), at+20)]
		return nil, fmt.Errorf("not as sluice writes it, near %q: a member that stands twice, in another place or in another spelling", around)
	}
	return c, nil
}

// Write writes c, one rule and one entry a line.
func Write(w io.Writer, c *Certificate) error {
	out := bufio.NewWriter(w)
	p := printer{w: out, enc: json.NewEncoder(out), first: true}
	p.enc.SetEscapeHTML(false)
	p.one("sluice-certificate", c.Version)
	p.one("profile", c.Profile)
	if c.Settings != nil {
		p.one("settings", c.Settings)
	}
	p.one("platform", c.Platform)
	lines(&p, "facts", c.Facts)
	lines(&p, "rules", c.Rules)
	lines(&p, "entries", c.Entries)
	lines(&p, "steps", c.Steps)
	out.WriteString("}\n")
	return errors.Join(p.err, out.Flush())
}

// printer writes the members of one object.
type printer struct {
	w     *bufio.Writer
	enc   *json.Encoder // ends each value with a line break
	first bool
	err   error
}

func (p *printer) key(name string) {
	mark := ","
	if p.first {
		mark = "{"
	}
	p.first = false
	fmt.Fprintf(p.w, "%s%q: ", mark, name)
}

func (p *printer) one(name string, v any) {
	p.key(name)
	p.err = errors.Join(p.err, p.enc.Encode(v))
}

func lines[T any](p *printer, name string, list []T) {
	p.key(name)
	if list == nil {
		p.w.WriteString("null\n")
		return
	}
	p.w.WriteString("[")
	for i := range list {
		if i > 0 {
			p.w.WriteString(",")
		}
		p.err = errors.Join(p.err, p.enc.Encode(&list[i]))
	}
	p.w.WriteString("]\n")
}
