// Package plugins holds the beginning of an adapter plugin of one's own: plugins/example under another name, and the files that it takes to build, test and run it.
package plugins

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"regexp"
	"strings"
	"text/template"
)

//go:embed example/*.go skeleton/*
var files embed.FS

// Module is the module that a plugin is built with.
const Module = "github.com/sluice-gateway/sluice"

// Options are what Skeleton writes for.
type Options struct {
	Name string // of the adapter, the command and the profile: "acme"
	Path string // of the Go module; "": Name. With "-" there is no go.mod: the files are a package of a module that is there already
	// Version of Module, such as v1.2.0, and Replace, a directory that has it; one of the two is not "".
	Version, Replace string
	Here             string // the directory that the plugin is built in, a whole path
	Checked          string // the month, such as 2026-11
	Go               string // the version of Go, such as 1.26.0
}

var plainName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Skeleton returns the files of a new plugin, by path.
func Skeleton(o Options) (map[string][]byte, error) {
	switch {
	case !plainName.MatchString(o.Name) || token.IsKeyword(o.Name):
		return nil, fmt.Errorf("%q is no name for an adapter: lower case letters and digits, words joined by hyphens", o.Name)
	case o.Version == "" && o.Replace == "" && o.Path != "-":
		return nil, errors.New("this sluice was built from a source tree and has no version: say where the tree is")
	}
	out := map[string][]byte{}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		dir, name, _ := strings.Cut(path, "/")
		if dir == "example" {
			out[name] = renamed(b, o.Name)
			return nil
		}
		if name == "profile.yaml" {
			name = "profiles/" + o.Name + ".yaml"
		}
		out[name], err = filled(name, b, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	if o.Path != "-" {
		out["go.mod"] = o.module()
	}
	return out, nil
}

// renamed gives the source of the example another name.
func renamed(source []byte, name string) []byte {
	out := bytes.ReplaceAll(source, []byte(`"example"`), fmt.Appendf(nil, "%q", name))
	if i := bytes.Index(out, []byte("// Example is")); i >= 0 {
		end := bytes.Index(out, []byte("package main"))
		head := fmt.Sprintf("// Command %s is an adapter plugin for sluice. Adapter is in adapter.go; store.go is what stands in for the device, and goes when the device is there.\n", name)
		out = append([]byte(head), out[end:]...)
	}
	return out
}

func filled(name string, text []byte, o Options) ([]byte, error) {
	t, err := template.New(name).Delims("<<", ">>").Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, o)
	return out.Bytes(), err
}

func (o Options) module() []byte {
	path, version := o.Path, o.Version
	if path == "" {
		path = o.Name
	}
	if version == "" {
		version = "v0.0.0"
	}
	out := fmt.Sprintf("module %s\n\ngo %s\n\nrequire %s %s\n", path, o.Go, Module, version)
	if o.Replace != "" {
		out += fmt.Sprintf("\nreplace %s => %s\n", Module, o.Replace)
	}
	return []byte(out)
}
