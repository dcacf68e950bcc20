package iosxr

import (
	"bytes"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Parse reads the access lists that bear our mark, in the order of their names: from the XML of Render or of a reply to <get-config>, or from the text of
// `show running-config` or a part of it. Objects of other names are passed over. Inside ours, everything must be understood and stand where Render puts it:
// a line at another number, without its remark, or with a condition that is not understood is a *filter.ForeignError that names it.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	r := &ciscoacl.Reader{Lang: language{}}
	var err error
	if trimmed := bytes.TrimSpace(b); bytes.HasPrefix(trimmed, []byte("<")) {
		err = readXML(trimmed, r)
	} else {
		err = readText(string(b), r)
	}
	if err != nil {
		return nil, err
	}
	return r.Filters()
}
