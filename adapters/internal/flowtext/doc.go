// Package flowtext reads the match of a FlowSpec rule as routers print it beside its counters.
//
// The text is the only thing that says whose a counter is, so it is read strictly: what a source shows with the rule that it was printed for is read, and everything else is an error, however
// plain it looks. An error costs a rule its counter; a guess would give it another's.
package flowtext
