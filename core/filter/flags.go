package filter

import (
	"errors"
	"fmt"
)

// PossibleFlags returns those of terms that some packet fulfils, for a language that names the bits of mask. It is an error, which begins with the condition's name in FlowSpec, if
// none is left, if one lets every packet through, or if one asks for another bit: named says of these what the language does name, such as "Junos matches the six bits fin, ... only".
func PossibleFlags(terms []FlagTerm, mask uint16, named string) ([]FlagTerm, error) {
	var out []FlagTerm
	for _, t := range terms {
		if extra := (t.Set | t.Clear) &^ mask; extra != 0 {
			return nil, fmt.Errorf("tcp-flags: bits %#04x; %s", extra, named)
		}
		if t.Set == 0 && t.Clear == 0 {
			return nil, errors.New("tcp-flags: one of the terms lets every packet through; leave the condition out")
		}
		if t.Set&t.Clear == 0 {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("tcp-flags: no packet has a flag set and clear at once, the entry matches nothing")
	}
	return out, nil
}
