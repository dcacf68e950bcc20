package config

import (
	"fmt"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/notation"
)

// listenBMP reads where routers connect to that show what they hold (RFC 7854). The port is the operator's choice: IANA has none for it.
func (b *builder) listenBMP(raw []string) (out []netip.AddrPort) {
	for i, s := range raw {
		at, err := netip.ParseAddrPort(s)
		if err != nil {
			b.fail(fmt.Sprintf("$.listen.bmp[%d]", i), "%q is not ADDRESS:PORT, such as 192.0.2.1:11019", s)
			continue
		}
		out = append(out, at)
	}
	return out
}

// bmp reads the address that a device connects from to show what it holds.
func (b *builder) bmp(path string, raw rawDevice, c *Config, others []Device, d *Device) {
	if raw.BMP == "" {
		if raw.BMPRD != "" || raw.BMPPassword != nil {
			b.fail(path, "missing: bmp-rd and bmp-md5-password are about the connection from that address")
		}
		return
	}
	var err error
	if d.BMP, err = netip.ParseAddr(raw.BMP); err != nil {
		b.fail(path, "%q is not an address: it is the one that the device connects from", raw.BMP)
		return
	}
	d.BMP = d.BMP.Unmap()
	if raw.BMPRD != "" {
		var ok bool
		if d.BMPRD, ok = notation.ParseRD(raw.BMPRD); !ok {
			b.fail(path+"-rd", "%q is no route distinguisher, such as 64512:100 or 192.0.2.1:7", raw.BMPRD)
		}
	}
	if d.BMPPassword = b.secret(path+"-md5-password", raw.BMPPassword); len(d.BMPPassword) > 80 {
		b.fail(path+"-md5-password", "%d octets, and a TCP MD5 signature takes 80", len(d.BMPPassword))
	}
	switch {
	case d.BGP == nil:
		b.fail(path, "what a device shows by BMP is what it holds of a BGP session, and the device has no bgp")
	case len(c.ListenBMP) == 0:
		b.fail(path, "nobody listens for it: listen.bmp is missing")
	}
	for _, o := range others {
		if o.BMP == d.BMP {
			b.fail(path, "%q connects from %s already: BMP says nothing that would tell two devices apart", o.Name, d.BMP)
		}
	}
}
