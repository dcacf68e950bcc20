package netconf

import (
	"fmt"
	"net/url"
)

// token is what another process needs to confirm or cancel a change: it is the text of device.Commit.Token. No part of it is a secret.
type token struct {
	persist string // persist-id (RFC 6241 section 8.4.1), empty where the device has none
	id      string // tells changes without a persist-id apart
	sum     string // of what the device held after the change
}

func (t token) String() string {
	return url.Values{"persist": {t.persist}, "id": {t.id}, "sum": {t.sum}}.Encode()
}

func parseToken(s string) (token, error) {
	v, err := url.ParseQuery(s)
	if err != nil || v.Get("id") == "" || v.Get("sum") == "" {
		return token{}, fmt.Errorf("the commit token %q is not one of this adapter", s)
	}
	return token{persist: v.Get("persist"), id: v.Get("id"), sum: v.Get("sum")}, nil
}
