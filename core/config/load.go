package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/sluice-gateway/sluice/core/profile"
)

// Problem is one thing wrong with a configuration file.
type Problem struct {
	File         string
	Line, Column int // from 1; 0 where the trouble has no place
	Message      string
}

func (p Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Env is what a configuration refers to outside its file. Tests replace it.
type Env struct {
	Getenv   func(string) string
	ReadFile func(string) ([]byte, error)
	Command  func(words []string) ([]byte, error) // runs a command and returns what it prints
	// NoSecrets leaves every secret empty: for whoever asks a file for anything but those.
	NoSecrets bool
	Profiles  func(dir string) (*profile.Library, error) // the shipped profiles and those in dir, where it is not ""
}

// Load reads and checks the file at path, with the secrets of this process's environment. The error joins every Problem that was found.
func Load(path string, profiles func(dir string) (*profile.Library, error)) (*Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, b, Env{Getenv: os.Getenv, ReadFile: os.ReadFile, Command: runCommand, Profiles: profiles})
}

// Parse checks the text of a configuration file; name is for messages.
func Parse(name string, text []byte, env Env) (*Config, error) {
	raw, file, err := decode[rawConfig](name, text)
	if err != nil {
		return nil, err
	}
	b := &builder{file: name, ast: file, env: env}
	c := b.config(raw)
	if err := b.trouble(); err != nil {
		return nil, err
	}
	return c, nil
}

// trouble joins the problems that were found, in the order of their lines.
func (b *builder) trouble() error {
	slices.SortStableFunc(b.problems, func(p, q Problem) int { return p.Line - q.Line })
	var all []error
	for _, p := range b.problems {
		all = append(all, p)
	}
	return errors.Join(all...)
}

// decode reads the text as the one document that it is. The library panics on some odd input; that is an error about this file and no more.
func decode[T any](name string, text []byte) (raw T, file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Problem{File: name, Message: fmt.Sprintf("this cannot be read as YAML: %v", p)}
		}
	}()
	if file, err = parser.ParseBytes(text, 0); err != nil {
		return raw, nil, yamlProblem(name, err)
	}
	if len(file.Docs) > 1 {
		p := Problem{File: name, Message: "a second document: a configuration is one document"}
		if at := file.Docs[1].GetToken(); at != nil && at.Position != nil {
			p.Line, p.Column = at.Position.Line, at.Position.Column
		}
		return raw, nil, p
	}
	tags := tagFinder{name: name}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if ast.Walk(&tags, doc.Body); tags.err != nil {
			return raw, nil, tags.err
		}
	}
	if err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&raw); err != nil {
		return raw, nil, yamlProblem(name, err)
	}
	return raw, file, nil
}

// tagFinder refuses tags: the library passes over those that it does not know, and `!vault` before a password is not the password.
type tagFinder struct {
	name string
	err  error
}

// Visit looks at one node.
func (f *tagFinder) Visit(n ast.Node) ast.Visitor {
	if f.err != nil {
		return nil
	}
	if n.Type() == ast.TagType {
		p := Problem{File: f.name, Message: "tags are not read here: write the value as it is"}
		if at := n.GetToken(); at != nil && at.Position != nil {
			p.Line, p.Column = at.Position.Line, at.Position.Column
		}
		f.err = p
	}
	return f
}

// yamlProblem gives an error of the YAML library our form.
func yamlProblem(name string, err error) error {
	var at yaml.Error
	if errors.Is(err, io.EOF) {
		return Problem{File: name, Message: "the file is empty: docs/configuration.md shows what belongs into it"}
	}
	if !errors.As(err, &at) || at.GetToken() == nil {
		return Problem{File: name, Message: firstLine(err.Error())}
	}
	pos := at.GetToken().Position
	return Problem{name, pos.Line, pos.Column, at.GetMessage()}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// builder makes values of raw ones and collects what is wrong with them, each at its place in the file.
type builder struct {
	file     string
	ast      *ast.File
	env      Env
	problems []Problem
}

// fail notes a problem at a YAML path such as "$.sources[0].bgp.address", or at the nearest place above it that the file has.
func (b *builder) fail(path, format string, args ...any) {
	p := Problem{File: b.file, Message: strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".") + ": " + fmt.Sprintf(format, args...)}
	p.Line, p.Column = b.place(path)
	b.problems = append(b.problems, p)
}

func (b *builder) place(path string) (line, column int) {
	for path != "$" && path != "" {
		if at, err := yaml.PathString(path); err == nil {
			if node, err := at.FilterFile(b.ast); err == nil && node != nil && node.GetToken() != nil {
				pos := start(node).Position
				return pos.Line, pos.Column
			}
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0, 0
}
