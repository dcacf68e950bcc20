package sdk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Versions are those of the protocol that this package speaks, oldest first: the newest, and the one before it. Host and plugin choose the newest that both speak.
var Versions = []int{1, 2}

// telling is the version from which on a call may say where it is, and Info declares capabilities (adapter.proto).
const telling = 2

// Newest is the newest of Versions.
func Newest() int { return slices.Max(Versions) }

// offers is the environment variable in which the host puts the versions that it speaks, joined by commas.
const offers = "PLUGIN_PROTOCOL_VERSIONS"

// common says that host and plugin have no version in common. Left to itself go-plugin would serve one that the host does not know, and say of one version only that it does not fit.
func common(offered string) error {
	var theirs []int
	for word := range strings.SplitSeq(offered, ",") {
		if v, err := strconv.Atoi(word); err == nil {
			theirs = append(theirs, v)
		}
	}
	if slices.ContainsFunc(Versions, func(v int) bool { return slices.Contains(theirs, v) }) {
		return nil
	}
	slices.Sort(theirs)
	return fmt.Errorf("the host speaks %s of the protocol, and this plugin %s: there is none in common", Say(theirs), Say(Versions))
}

// Say lists versions in words: "version 2", "versions 1 and 2".
func Say(versions []int) string {
	var words []string
	for _, v := range versions {
		words = append(words, strconv.Itoa(v))
	}
	switch n := len(words); n {
	case 0:
		return "no version"
	case 1:
		return "version " + words[0]
	default:
		return "versions " + strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}
