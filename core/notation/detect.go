package notation

import (
	"bytes"
	"path/filepath"
	"strings"
)

// Detect says which notation an input is in: by the ending of its name, else by its first line that is neither empty nor a
// comment. What looks like nothing else is ExaBGP's.
func Detect(file string, b []byte) Format {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yaml", ".yml":
		return YAML
	case ".json":
		return JSON
	case ".hex":
		return HexLines
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte("\n"))
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return detectLine(string(line))
		}
	}
	return ExaBGP
}

func detectLine(line string) Format {
	word, _, _ := strings.Cut(line, " ")
	if word == "gobgp" || word == "match" || strings.HasPrefix(line, "add match ") || strings.HasPrefix(line, "del match ") {
		return GoBGP
	}
	if line[0] == '{' {
		return JSON
	}
	if _, _, ok := parseFamily(word); ok || word == "update" {
		return HexLines
	}
	if line == "---" || strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "%YAML") || yamlKey(word) {
		return YAML
	}
	return ExaBGP
}

func yamlKey(word string) bool {
	key, rest, colon := strings.Cut(word, ":")
	return colon && rest == "" && key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz-_\"'") == ""
}
