package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/certificate/issue"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/verify"
)

func verifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check the proof in a certificate, with a checker that shares no code with the planner",
		Long: `Check that a router which is given the entries of a certificate treats every packet as its rules ask, and say what that rests on. Certificates are
written by validate --certificate and device plan --certificate. The checker reads the octets of rules and entries by itself, and believes none of
the planner's claims; docs/certificates.md says what it proves, and what it cannot.

Exit status: 0 verified, 1 not, 2 the file is no certificate.`,
		Example: `  sluice validate --profile asr9k --certificate proof.json rules.conf
  sluice verify proof.json`,
		Args: cobra.ExactArgs(1),
	}
	format := formatFlag(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := format()
		if err != nil {
			return err
		}
		octets, err := readAll(cmd.InOrStdin(), args[0])
		if err != nil {
			return usage(err)
		}
		c, err := certificate.Read(octets)
		if err != nil {
			return usage(fmt.Errorf("%s: %w", args[0], err))
		}
		v := verified{c: c}
		var refusal *verify.Refusal
		if err := verify.Check(c); err != nil && !errors.As(err, &refusal) {
			return failed(err)
		}
		out := cmd.OutOrStdout()
		switch {
		case f == "json":
			err = printJSON(out, v.report(refusal))
		case refusal != nil:
			err = v.refused(out, refusal)
		default:
			err = v.print(out)
		}
		if err != nil {
			return failed(err)
		}
		if refusal != nil {
			return silent(exitFailed)
		}
		return nil
	}
	return cmd
}

// verified tells of a certificate that was checked.
type verified struct{ c *certificate.Certificate }

// except returns the rules that are rejected, and those that are limited to more than they ask for.
func (v verified) except() (rejected, looser []string) {
	rejected, looser = []string{}, []string{}
	for _, r := range v.c.Rules {
		switch {
		case r.Rejected:
			rejected = append(rejected, r.ID)
		case !r.Exact:
			looser = append(looser, r.ID)
		}
	}
	return rejected, looser
}

// target is the profile with its options, as --profile takes it.
func (v verified) target() string {
	out := v.c.Profile
	for _, name := range slices.Sorted(maps.Keys(v.c.Settings)) {
		out += ":" + name + "=" + v.c.Settings[name]
	}
	return out
}

func (v verified) report(refusal *verify.Refusal) map[string]any {
	rejected, looser := v.except()
	out := map[string]any{"verified": refusal == nil, "profile": v.c.Profile, "settings": v.c.Settings, "platform": v.c.Platform, "facts": v.c.Facts,
		"rules": len(v.c.Rules), "entries": len(v.c.Entries), "rejected": rejected, "looser": looser, "refusal": nil}
	if refusal != nil {
		packet := ""
		if refusal.Packet != nil {
			packet = refusal.Packet.String()
		}
		out["refusal"] = map[string]string{"place": refusal.Place, "reason": refusal.Reason, "packet": packet}
	}
	return out
}

// refused prints why. Whatever stands in the file may come from anywhere, and is printed without control characters.
func (v verified) refused(w io.Writer, r *verify.Refusal) error {
	s := fmt.Sprintf("not verified: %s\n  %s\n", oneLine(r.Place), oneLine(r.Reason))
	if r.Packet != nil {
		s += fmt.Sprintf("  packet: %s\n", r.Packet)
	}
	_, err := io.WriteString(w, s)
	return err
}

func (v verified) print(w io.Writer) error {
	var b strings.Builder
	rejected, looser := v.except()
	fmt.Fprintf(&b, "verified: %s, %s for %s: every packet fares as asked", counted(len(v.c.Rules), "rule"), counted(len(v.c.Entries), "entry"), oneLine(v.target()))
	if len(rejected)+len(looser) > 0 {
		b.WriteString(", except that")
	}
	b.WriteString("\n")
	if n := len(rejected); n > 0 {
		fmt.Fprintf(&b, "  %s not carried; no packet fares worse than asked: %s\n", was(n), oneLine(some(rejected)))
	}
	if n := len(looser); n > 0 {
		fmt.Fprintf(&b, "  %s more than 1 %% higher than asked: %s\n", strings.Replace(was(n), "rule", "rate", 1), oneLine(some(looser)))
	}
	b.WriteString("\nThis rests on what is said of the device, which no checker can check:\n")
	p := &v.c.Platform
	natives, filters, measured := v.stages()
	if natives[0] {
		fmt.Fprintf(&b, "  order of IPv4 rules: %s\n", oneLine(p.Order))
	}
	if natives[1] {
		fmt.Fprintf(&b, "  order of IPv6 rules: %s\n", oneLine(p.OrderV6))
	}
	if measured > 0 {
		fmt.Fprintf(&b, "  a measured order of %s\n", counted(measured, "route"))
	}
	if filters {
		fmt.Fprintf(&b, "  filter, placed %s: %s\n", oneLine(p.Placement), semanticsText(p.Filter))
	}
	for _, basis := range []profile.Basis{profile.Assumed, profile.Documented, profile.Measured} {
		for _, f := range v.c.Facts {
			if f.Basis == string(basis) {
				fmt.Fprintf(&b, "  %s: %s\n", basis, oneLine(f.Text))
				if f.Source != "" {
					fmt.Fprintf(&b, "    source: %s\n", oneLine(f.Source))
				}
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// stages says whether there are routes of IPv4 and of IPv6, and entries of a filter, and how many routes have a place in a measured order.
func (v verified) stages() (natives [2]bool, filters bool, measured int) {
	for _, e := range v.c.Entries {
		if e.Measured > 0 {
			measured++
		}
		switch {
		case e.Stage == certificate.Filter:
			filters = true
		case strings.HasSuffix(v.c.Rules[e.Rule].Family, "6"):
			natives[1] = true
		default:
			natives[0] = true
		}
	}
	return natives, filters, measured
}

func was(n int) string {
	if n == 1 {
		return "1 rule is"
	}
	return fmt.Sprintf("%d rules are", n)
}

// some prints the first of a list.
func some(list []string) string {
	const most = 5
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

func semanticsText(s *certificate.Semantics) string {
	var checks []string
	for _, one := range []struct {
		yes  bool
		word string
	}{{s.PortsCheckProtocol, "the protocol of ports"}, {s.FlagsCheckProtocol, "the protocol of TCP flags"}, {s.ICMPChecksProtocol, "the protocol of ICMP fields"},
		{s.TransportChecksOffset, "the fragment offset"}} {
		if one.yes {
			checks = append(checks, one.word)
		}
	}
	text := "entries look at nothing that they do not name"
	if checks != nil {
		text = "entries look by themselves at " + strings.Join(checks, ", ")
	}
	if s.SharedPolicer {
		text += "; those that name one policer share it"
	}
	return text
}

// certificateFlag adds --certificate to a command.
func certificateFlag(cmd *cobra.Command, help string) *string {
	return cmd.Flags().String("certificate", "", "write the proof to `FILE`, for `sluice verify`"+help)
}

// certify writes the certificate of a plan to file. One that the checker does not verify is not written: then the fault is ours.
func certify(file string, rules []flowspec.Rule, made *plan.Plan, t target) error {
	c, err := issue.For(rules, made, t.profile, t.opt)
	if err != nil {
		return fmt.Errorf("no certificate for %s: %w", t.spec, err)
	}
	var b bytes.Buffer
	if err := certificate.Write(&b, c); err != nil {
		return fmt.Errorf("no certificate for %s: %w", t.spec, err)
	}
	return saveCertificate(file, t.spec, b.Bytes())
}

// saveCertificate checks a certificate and writes it to file, whole or not at all.
func saveCertificate(file, of string, octets []byte) error {
	c, err := certificate.Read(octets)
	if err == nil {
		err = verify.Check(c)
	}
	if err != nil {
		return fmt.Errorf("no certificate for %s, because it would not be verified: %w", of, err)
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".certificate-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // in vain once it bears its name
	_, err = temp.Write(octets)
	if err := errors.Join(err, temp.Chmod(0o644), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}

// certificateFile returns the name of the certificate for one of several targets: proof.json becomes proof.junos-mx.term-order-legacy.json.
func certificateFile(file, spec string, several bool) string {
	if !several {
		return file
	}
	ext := filepath.Ext(file)
	return strings.TrimSuffix(file, ext) + "." + strings.NewReplacer(":", ".", "=", "-", "/", "-").Replace(spec) + ext
}
