package profile

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

func portType(t *testing.T, word string) flowspec.Type {
	t.Helper()
	typ, ok := flowspec.ParseType(word)
	if !ok {
		t.Fatalf("%q is no component", word)
	}
	return typ
}

func shelf(t *testing.T, files ...string) fstest.MapFS {
	t.Helper()
	fs := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fs[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fs
}

func TestSelect(t *testing.T) {
	t.Parallel()
	lib, err := LoadFS(shelf(t, "box.yaml", small), "dir")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ spec, order, want string }{
		{"box", "rfc8955", ""},
		{" crate ", "rfc8955", ""},
		{"crate:term-order=standard", "rfc8955", ""},
		{"box:term-order=legacy", "unknown", ""},
		{"bix", "", `unknown profile "bix": did you mean "box"? (known: box (crate))`},
		{"elsewhere", "", `unknown profile "elsewhere" (known: box (crate))`},
		{"box:term-order", "", `write OPTION=VALUE`},
		{"box:term-order=new", "", `one of standard, legacy, not "new"`},
		{"box:order=legacy", "", `has no option "order" (it has term-order)`},
		{"box:term-order=legacy:term-order=legacy", "", `set twice`},
	} {
		p, settings, err := lib.Select(c.spec)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", c.spec, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.spec, err)
			continue
		}
		if p.Native.Order.Kind != c.order {
			t.Errorf("%s: got order %v, want %s", c.spec, p.Native.Order.Kind, c.order)
		}
		if again, err := p.With(settings); again != p || err != nil {
			t.Errorf("%s: the same settings again give another profile (%v)", c.spec, err)
		}
		if none, err := p.With(nil); none != p || err != nil {
			t.Errorf("%s: no settings give another profile (%v)", c.spec, err)
		}
		if one, err := lib.Get("box"); err != nil || one.Native.Order.Kind != "rfc8955" {
			t.Errorf("%s: the setting changed the profile in the library", c.spec)
		}
		if back, err := p.With(map[string]string{"term-order": "standard"}); err != nil || back.Native.Order.Kind != "rfc8955" {
			t.Errorf("%s: the default is not to be had again (%v)", c.spec, err)
		}
		if got := p.Warnings[0].Applies(settings); got != (c.order == "rfc8955") {
			t.Errorf("%s: the warning applies: %v", c.spec, got)
		}
	}
}

func TestOverlay(t *testing.T) {
	t.Parallel()
	lib, err := LoadFS(shelf(t, "box.yaml", small), "embedded")
	if err != nil {
		t.Fatal(err)
	}
	other := strings.NewReplacer("name: box", "name: cart", "aliases: [crate]", "aliases: []").Replace(small)
	mine := strings.Replace(small, "vendor: ACME", "vendor: Me", 1)
	both, err := lib.Overlay(shelf(t, "cart.yaml", other, "mine.yml", mine, "notes.txt", "not a profile"), "mine")
	if err != nil {
		t.Fatal(err)
	}
	if got := len(both.All()); got != 2 {
		t.Errorf("got %d profiles, want 2", got)
	}
	if p, _ := both.Get("box"); p.Vendor != "Me" || both.File("box") != "mine/mine.yml" {
		t.Errorf("got vendor %s from %s, want the one of the overlay", p.Vendor, both.File("box"))
	}
	if p, _ := lib.Get("box"); p.Vendor != "ACME" {
		t.Error("the overlay changed the library below it")
	}

	for _, c := range []struct {
		name, want string
		files      []string
	}{
		{"same name twice", `profile "box" is in mine/a.yaml as well`, []string{"a.yaml", small, "b.yaml", small}},
		{"alias of another", `alias "crate" already leads to profile "box"`, []string{"c.yaml", strings.Replace(small, "name: box", "name: cart", 1)}},
		{"alias is a name", `alias "box" already leads to profile "box"`, []string{"c.yaml", strings.NewReplacer("name: box", "name: cart", "[crate]", "[box]").Replace(small)}},
		{"name of an alias below", `mine/c.yaml:1:1: "crate" is already an alias of profile "box"`, []string{"c.yaml", strings.NewReplacer("name: box", "name: crate", "[crate]", "[]").Replace(small)}},
		{"one that does not load", "mine/d.yaml:3:1", []string{"a.yaml", small, "d.yaml", strings.Replace(small, "vendor: ACME", "vender: ACME", 1)}},
	} {
		_, err := lib.Overlay(shelf(t, c.files...), "mine")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestProblemRender(t *testing.T) {
	t.Parallel()
	p := Problem{Line: 2, Column: 4, Message: "no"}.in("f.yaml", []byte("a\n\t  bad\n"))
	if got, want := p.Render(), "f.yaml:2:4: no\n  \t  bad\n  \t  ^"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
