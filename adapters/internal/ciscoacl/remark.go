package ciscoacl

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
)

// uncounted is what a remark adds to the name of an entry that nobody asked to count.
const uncounted = " uncounted"

// LinesCount is the part of a Language whose lines count by themselves, all of them: the remark of an entry is its name, and says as well if nobody wants to know.
type LinesCount struct{}

// Remark returns the remark of e.
func (LinesCount) Remark(e filter.Entry) string {
	if e.Counter == "" {
		return e.Name + uncounted
	}
	return e.Name
}

// ReadRemark reads what Remark has written into e, and returns the name of the entry.
func (LinesCount) ReadRemark(e *filter.Entry, remark string) string {
	name, silent := strings.CutSuffix(remark, uncounted)
	e.Name = name
	if !silent {
		e.Counter = filter.CounterOf(name)
	}
	return name
}

// CheckCounter refuses another counter than the one that the lines of e add up to.
func (LinesCount) CheckCounter(e filter.Entry, system string) error {
	if e.Counter == "" || e.Counter == filter.CounterOf(e.Name) {
		return nil
	}
	return fmt.Errorf("counter: %q, but %s counts by line, and those of %s add up to %q", e.Counter, system, e.Name, filter.CounterOf(e.Name))
}
