// Package notation reads and writes rules as people and other programs spell them: ExaBGP's text, commands of GoBGP's, sluice's own YAML and
// JSON, and hex.
//
// Reading is strict in one way above all: what is half understood is refused whole. Dropping one condition makes a
// discard wider, and a wider discard is an outage. ExaBGP accepts a number of inputs that it then silently turns into
// something wider or into nothing (a missing semicolon drops the statement, a list without brackets keeps one value). Such
// an input is a guarded one: it is refused under a stable code, with its place, the reason and the corrected text, and
// [Options.Compat] lets single codes through, which then mean what they mean to ExaBGP. [Guards] lists them.
//
// A file with errors yields everything else that could be judged: each bad rule is a [Problem] and no [Item].
//
//	res := notation.Read("rules.txt", octets, notation.Options{})
//	for _, p := range res.Problems {
//		p.Render(os.Stderr, false)
//	}
//
// What a notation cannot say, [Write] refuses with the rule and the reason: every written rule is read back and compared
// before a single octet is printed.
package notation
