package notation

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// python is the interpreter that Debian's exabgp belongs to.
const python = "/usr/bin/python3"

// haveExaBGP says whether the real ExaBGP is installed. In CI it has to be.
func haveExaBGP(t *testing.T) bool {
	t.Helper()
	err := exec.CommandContext(t.Context(), python, "-c", "import exabgp.reactor.api").Run()
	switch {
	case err == nil:
		return true
	case os.Getenv("CI") != "":
		t.Fatalf("the Debian package exabgp is missing: %v", err)
	}
	t.Log("not compared with the real ExaBGP: the Debian package exabgp is missing")
	return false
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// exabgpAnswers asks the real ExaBGP what it would send for each line, or returns nil when it is not installed.
func exabgpAnswers(t *testing.T, lines []string) []string {
	t.Helper()
	if !haveExaBGP(t) {
		return nil
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/oracle.py")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("oracle.py: %v\n%s", err, stderr.String())
	}
	var answers []string
	for l := range strings.Lines(string(out)) {
		if answer, ok := strings.CutPrefix(strings.TrimSuffix(l, "\n"), "> "); ok {
			answers = append(answers, answer)
		}
	}
	if len(answers) != len(lines) {
		t.Fatalf("oracle.py: %d answers to %d lines", len(answers), len(lines))
	}
	return answers
}

// sluiceAnswer is what sluice makes of a line, one indented line each.
func sluiceAnswer(line string) (hex string, answer []string) {
	it, problems := ReadLine(line, Options{})
	if it.Rule.Match.Valid() {
		hex = Hex(it.Rule)
		verb := ""
		if it.Withdraw {
			verb = "withdraw "
		}
		answer = append(answer, "    sluice: "+verb+hex)
	}
	for _, p := range problems {
		answer = append(answer, fmt.Sprintf("    %s %d+%d %s: %s", p.Severity, p.Pos.Column, p.Length, p.Code, p.Message))
		if p.Hint != "" {
			answer = append(answer, "      write: "+p.Hint)
		}
	}
	return hex, answer
}

// octetsOf cuts the family and the NLRI out of a line of hex.
func octetsOf(hex string) string {
	words := strings.Fields(hex)
	if len(words) < 2 {
		return hex
	}
	return words[0] + " " + words[1]
}

// Every line of the corpus is read as recorded, by sluice and by the real ExaBGP; and what both accept is the same NLRI, octet
// for octet, wherever the corpus does not say why not.
func TestCorpus(t *testing.T) {
	t.Parallel()
	const file = "testdata/exabgp.txt"
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for l := range strings.Lines(string(was)) {
		if l = strings.TrimSuffix(l, "\n"); isCommand(l) {
			lines = append(lines, l)
		}
	}
	if len(lines) < 150 {
		t.Fatalf("%d lines, want at least 150", len(lines))
	}
	answers := exabgpAnswers(t, lines)
	recorded := recordedAnswers(string(was))
	var now strings.Builder
	next, comment := 0, ""
	for l := range strings.Lines(string(was)) {
		l = strings.TrimSuffix(l, "\n")
		if strings.HasPrefix(l, "    ") {
			continue
		}
		now.WriteString(l + "\n")
		if !isCommand(l) {
			comment = l
			continue
		}
		hex, answer := sluiceAnswer(l)
		theirs := recorded[l]
		if answers != nil {
			theirs = exabgpLine(hex, answers[next])
		}
		next++
		if differs := strings.HasPrefix(comment, "# differs: "); hex != "" && strings.HasPrefix(theirs, "    exabgp: sends") != differs {
			t.Errorf("%s\n%s\n%s\nthe octets differ: %t, and the comment in front says so: %t", l, strings.Join(answer, "\n"), theirs, !differs, differs)
		}
		comment = ""
		now.WriteString(strings.Join(append(answer, theirs), "\n") + "\n")
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(now.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if now.String() != string(was) {
		t.Errorf("%s differs from what is read now (UPDATE=1 rewrites it):\n%s", file, firstDifference(string(was), now.String()))
	}
}

// A code that is let through means what it means to ExaBGP: the same NLRI, but for host bits, which are cleared.
func TestCompatMeansWhatExaBGPDoes(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, code := range compatCodes() {
		if code != "host-bits" && code != "not-flowspec" { // bits are cleared; no rule
			lines = append(lines, compatLines(t, code)...)
		}
	}
	if len(lines) < 20 {
		t.Fatalf("only %d lines", len(lines))
	}
	for i, answer := range exabgpAnswers(t, lines) {
		it, problems := ReadLine(lines[i], Options{Compat: compatCodes()})
		if got, want := octetsOf(Hex(it.Rule)), octetsOf(answer); got != want {
			t.Errorf("%s\ngot  %s\nExaBGP sends %s\n%v", lines[i], got, want, problems)
		}
	}
}

// compatLines returns the lines of the corpus that a code refuses and compat reads.
func compatLines(t *testing.T, code string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/exabgp.txt")
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		if l = strings.TrimSuffix(l, "\n"); !isCommand(l) {
			continue
		}
		_, problems := ReadLine(l, Options{})
		it, _ := ReadLine(l, Options{Compat: compatCodes()})
		refused := slices.ContainsFunc(problems, func(p Problem) bool { return p.Code == code && p.Severity == Error })
		if refused && it.Rule.Match.Valid() && !strings.HasPrefix(l, "announce ipv") {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		t.Errorf("no line for %s", code)
	}
	return lines
}

func isCommand(l string) bool { return l != "" && l[0] != '#' && l[0] != ' ' }

// exabgpLine records what ExaBGP makes of a line that sluice reads as hex.
func exabgpLine(hex, answer string) string {
	switch {
	case strings.HasPrefix(answer, "error"):
		return "    exabgp: refuses"
	case hex != "" && octetsOf(answer) == octetsOf(hex):
		return "    exabgp: the same NLRI"
	}
	return "    exabgp: sends " + answer
}

func recordedAnswers(text string) map[string]string {
	m, line := map[string]string{}, ""
	for l := range strings.Lines(text) {
		if l = strings.TrimSuffix(l, "\n"); isCommand(l) {
			line = l
		}
		if strings.HasPrefix(l, "    exabgp: ") {
			m[line] = l
		}
	}
	return m
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d:\n got %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// What Write prints for ExaBGP, ExaBGP sends: the NLRI and every community, octet for octet.
func TestExaBGPSendsWhatIsWritten(t *testing.T) {
	t.Parallel()
	gen := rapid.Custom(func(t *rapid.T) string {
		r := ruleGen(true).Draw(t, "rule")
		r.Communities, r.LargeCommunities = nil, nil
		var out writer
		if err := Write(&out, ExaBGP, []flowspec.Rule{r}); err != nil || strings.HasPrefix(out.String(), "announce ipv6") {
			return "" // ExaBGP 4.2 has no API for IPv6 rules without a prefix
		}
		return strings.TrimSpace(out.String())
	})
	var lines []string
	for seed := range 600 {
		if line := gen.Example(seed); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) < 300 {
		t.Fatalf("only %d lines", len(lines))
	}
	for i, answer := range exabgpAnswers(t, lines) {
		it, _ := ReadLine(lines[i], Options{})
		if got, want := sortedWords(answer), sortedWords(Hex(it.Rule)); !slices.Equal(got, want) {
			t.Errorf("%s\nExaBGP sends %v\nwant         %v", lines[i], got, want)
		}
	}
}

// Lines of the corpus with words lost, doubled or exchanged: whatever both ExaBGP and sluice still accept is the same NLRI. Offsets of
// IPv6 prefixes are the one thing that ExaBGP sends otherwise.
func TestMutatedLinesMeanWhatExaBGPReads(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/exabgp.txt")
	if err != nil {
		t.Fatal(err)
	}
	var corpus, lines []string
	for l := range strings.Lines(string(text)) {
		if l = strings.TrimSuffix(l, "\n"); isCommand(l) && strings.Contains(l, " flow route") && !strings.HasPrefix(l, "peer") {
			corpus = append(corpus, l)
		}
	}
	r := rand.New(rand.NewPCG(8955, 8956))
	for range 3000 {
		lines = append(lines, mutate(r, corpus[r.IntN(len(corpus))], corpus[r.IntN(len(corpus))]))
	}
	both := 0
	for i, answer := range exabgpAnswers(t, lines) {
		it, _ := ReadLine(lines[i], Options{})
		if !it.Rule.Match.Valid() || strings.HasPrefix(answer, "error") || strings.Contains(lines[i], "/104/64") {
			continue
		}
		both++
		if got, want := octetsOf(Hex(it.Rule)), octetsOf(answer); got != want {
			t.Errorf("%s\nread as      %s\nExaBGP sends %s", lines[i], got, want)
		}
	}
	t.Logf("%d of %d lines accepted by both", both, len(lines))
}

// mutate changes one to three words of a line; words may come from another line.
func mutate(r *rand.Rand, line, other string) string {
	words, from := strings.Fields(line), strings.Fields(other)
	head := slices.Index(words, "route") + 1
	for range 1 + r.IntN(3) {
		if len(words) <= head+1 {
			break
		}
		i, j := head+r.IntN(len(words)-head), head+r.IntN(len(words)-head)
		switch r.IntN(6) {
		case 0:
			words = slices.Delete(words, i, i+1)
		case 1:
			words = slices.Insert(words, i, words[j])
		case 2:
			words[i], words[j] = words[j], words[i]
		case 3:
			words[i] = from[r.IntN(len(from))]
		case 4:
			words[i] = strings.TrimRight(words[i], ";")
		case 5:
			if n := len(words[i]); n > 1 {
				k := r.IntN(n)
				words[i] = words[i][:k] + words[i][k+1:]
			}
		}
	}
	return strings.Join(words, " ")
}

// sortedWords drops the order of communities, which means nothing.
func sortedWords(hex string) []string {
	words := strings.Fields(hex)
	if len(words) > 2 {
		slices.Sort(words[2:])
	}
	return words
}
