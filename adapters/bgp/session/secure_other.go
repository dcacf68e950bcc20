//go:build !linux

package session

import (
	"errors"
	"net/netip"
)

func sign(_ int, _ netip.Addr, password Password) error {
	if password == "" {
		return nil
	}
	return errors.New("TCP MD5 signatures are supported on Linux only")
}

func highestTTL(int) error { return errors.New("TTL security is supported on Linux only") }

func guardTTL(_, hops int) error {
	if hops == 0 {
		return nil
	}
	return errors.New("TTL security is supported on Linux only")
}
