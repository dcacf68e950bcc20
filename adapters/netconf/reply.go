package netconf

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	gonetconf "github.com/Juniper/go-netconf/netconf"

	"github.com/sluice-gateway/sluice/core/device"
)

// rpcError is what a device answered instead of what was asked for: one or more <rpc-error> (RFC 6241 section 4.3).
type rpcError struct {
	errors []gonetconf.RPCError
}

// Error returns the device's own words.
func (e *rpcError) Error() string {
	var out []string
	for _, r := range e.errors {
		if r.Severity == "warning" && len(e.errors) > 1 {
			continue
		}
		words := strings.Join(strings.Fields(r.Message), " ")
		if words == "" {
			words = r.Tag
		}
		if bad := badElement(r.Info); bad != "" && !strings.Contains(words, bad) {
			words += " (" + bad + ")"
		}
		if path := strings.TrimSpace(r.Path); path != "" {
			words += " at " + path
		}
		out = append(out, words)
	}
	return strings.Join(out, "; ")
}

// has says whether one of the errors has that error-tag (RFC 6241 appendix A).
func (e *rpcError) has(tags ...string) bool {
	for _, r := range e.errors {
		for _, t := range tags {
			if strings.TrimSpace(r.Tag) == t {
				return true
			}
		}
	}
	return false
}

// badElement returns the name of the element that error-info blames.
func badElement(info string) string {
	var v struct {
		Bad string `xml:"error-info>bad-element"`
	}
	if xml.Unmarshal([]byte("<e>"+info+"</e>"), &v) != nil {
		return ""
	}
	return strings.TrimSpace(v.Bad)
}

// errorsInside returns the errors that stand deeper in an answer: Junos puts those of a commit into <commit-results>, where go-netconf does not look.
func errorsInside(data string) error {
	if !strings.Contains(data, "rpc-error>") {
		return nil
	}
	var found []gonetconf.RPCError
	bad := false
	dec := xml.NewDecoder(strings.NewReader(data))
	for {
		tok, err := dec.Token()
		if err != nil {
			break // the whole was parsed before
		}
		start, ok := tok.(xml.StartElement)
		if !ok || start.Name.Local != "rpc-error" {
			continue
		}
		var e gonetconf.RPCError
		if err := dec.DecodeElement(&e, &start); err != nil {
			return err
		}
		found = append(found, e)
		bad = bad || strings.TrimSpace(e.Severity) != "warning"
	}
	if !bad {
		return nil
	}
	return &rpcError{errors: found}
}

// isRPCError says whether err is about the device's errors.
func isRPCError(err error) bool {
	_, ok := asRPCError(err)
	return ok
}

// asRPCError returns the device's errors if err is about them.
func asRPCError(err error) (*rpcError, bool) {
	var e *rpcError
	return e, errors.As(err, &e)
}

// kind turns the error of one exchange into the kind that the caller reacts to. A device that is busy is transient, one that says no has refused.
func kind(what string, err error) error {
	e, ok := asRPCError(err)
	switch {
	case !ok:
		return err
	case e.has("lock-denied", "in-use", "resource-denied"):
		return &device.Transient{Err: fmt.Errorf("%s: the device is busy: %w", what, err)}
	}
	return &device.Refused{Words: what + ": " + err.Error()}
}
