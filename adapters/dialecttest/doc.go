// Package dialecttest is the conformance suite of dialects: what a language of filters must do to be trusted with one, as one story that every dialect goes
// through. A dialect that passes Run is done.
//
//	var suite = dialecttest.Suite{Dialect: mydialect.Dialect{}, Profile: "my-platform", ... }
//
//	func TestDialect(t *testing.T) { dialecttest.Run(t, suite) }
//	func FuzzParse(f *testing.F)   { dialecttest.Fuzz(f, suite) }
//
// The story is the same for all: whatever filter is given, it is refused with a reason or written and read back as the same filter, proven packet by packet; the same
// filter is the same text; one changed entry is a small change; nothing without our mark is read as ours; what the planner makes for the platform is never refused;
// and the text does what the table says, by the word of a router that is written apart from the dialect and reads text line by line.
//
// Suite holds what differs: how a filter that the language can say is drawn, what it cannot say, what in a text must be refused, and that router. Parts that every
// dialect has fail the suite when they are left out, so that a passing suite means the same for everyone.
//
// Golden cases are the files testdata/render/*.txtar of the dialect's package: a filter, the text that it becomes, and how to attach it.
// `go test ./adapters/mydialect -update` rewrites the texts; read the difference before you keep it.
package dialecttest
