// Package profile knows what one router platform can carry, as data. A [Profile] says which components, operators and numbers of
// values a platform takes in a FlowSpec rule, which actions it carries out and in which encodings, in which order it evaluates rules,
// and the same for its filters. Nothing else in sluice knows a vendor's name.
//
// Every capability rests on a [Fact]: a sentence, where it was read and when, and how sure it is (its [Basis]). A profile
// without that does not load. What is not known is written `unknown`, and means what is safe: a component, operator or action that
// is not listed is one the platform cannot carry; an unknown number of values is taken as one; an unknown step or floor of a rate
// is carried with a warning.
//
// Profiles are YAML files, read strictly: an unknown key, a second document, a word that is no component, a limit that contradicts
// another one are errors with file, line and column ([Problem]). A [Library] holds several; the embedded one is in package profiles,
// and an operator's directory can stand beside it ([Library.Overlay]).
//
// A profile may extend another one and hold only what differs, and the values of its options change any part of it; both are laid over what is there by
// one set of rules (merge.go). Every combination of options is loaded and checked with the profile. What a reader needs to know and no plan computes with is
// the profile's [Behaviour].
//
// A knob of the router that changes what it does is an [Option]; [Library.Select] reads `junos-mx:term-order=legacy`, and
// [Profile.With] gives the profile of a router whose knob stands so.
package profile
