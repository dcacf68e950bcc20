package cli

import (
	"fmt"
	"net/url"
	"regexp"
)

// token is what another process needs to confirm or cancel a change: it is the text of device.Commit.Token. No part of it is a secret.
type token struct {
	session string // name of the configuration session
	sum     string // of what the device held after the change
}

// sessionName is what the names of our sessions look like. They are typed, so nothing else is.
var sessionName = regexp.MustCompile(`^sluice-[0-9a-z]{10}$`)

func (t token) String() string {
	return url.Values{"session": {t.session}, "sum": {t.sum}}.Encode()
}

func parseToken(s string) (token, error) {
	v, err := url.ParseQuery(s)
	t := token{session: v.Get("session"), sum: v.Get("sum")}
	if err != nil || !sessionName.MatchString(t.session) || t.sum == "" {
		return token{}, fmt.Errorf("the commit token %q is not one of this adapter", s)
	}
	return t, nil
}
