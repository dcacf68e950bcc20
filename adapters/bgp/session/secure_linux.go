package session

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// sign has the socket sign what it sends to addr with password, and drop what comes from there without such a signature (RFC 2385; tcp(7), TCP_MD5SIG). "" does nothing.
func sign(fd int, addr netip.Addr, password Password) error {
	if password == "" {
		return nil
	}
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return fmt.Errorf("TCP MD5 signature: %w", err)
	}
	sig := unix.TCPMD5Sig{}
	sig.Keylen = uint16(copy(sig.Key[:], password))
	switch addr = addr.Unmap(); {
	case domain == unix.AF_INET && addr.Is4(): // struct sockaddr_in: port, address
		a := addr.As4()
		sig.Addr.Family = unix.AF_INET
		copyInt8(sig.Addr.Data[2:], a[:])
	case domain == unix.AF_INET6: // struct sockaddr_in6: port, flow, address; an IPv4 address is mapped (RFC 4291 §2.5.5.2)
		a := addr.As16()
		sig.Addr.Family = unix.AF_INET6
		copyInt8(sig.Addr.Data[6:], a[:])
	default:
		return nil // an IPv6 peer never reaches a listener for IPv4
	}
	if err := unix.SetsockoptTCPMD5Sig(fd, unix.IPPROTO_TCP, unix.TCP_MD5SIG, &sig); err != nil {
		return fmt.Errorf("TCP MD5 signature: %w", err)
	}
	return nil
}

func copyInt8[T ~int8 | ~uint8](to []T, from []byte) {
	for i, b := range from {
		to[i] = T(b)
	}
}

// highestTTL has packets leave with a TTL, or hop limit, of 255 (RFC 5082 §3).
func highestTTL(fd int) error {
	if err := setHops(fd, unix.IP_TTL, unix.IPV6_UNICAST_HOPS, 255); err != nil {
		return fmt.Errorf("TTL security: %w", err)
	}
	return nil
}

// guardTTL has packets leave with the highest TTL, and drops those that come with less than a neighbour that many hops away can have left of it (RFC 5082 §3). 0 hops: nothing.
func guardTTL(fd, hops int) error {
	if hops == 0 {
		return nil
	}
	if err := highestTTL(fd); err != nil {
		return err
	}
	if err := setHops(fd, unix.IP_MINTTL, unix.IPV6_MINHOPCOUNT, 256-hops); err != nil {
		return fmt.Errorf("TTL security: %w", err)
	}
	return nil
}

// setHops sets an option of both IP versions: an IPv6 socket may carry IPv4, and takes the options of both.
func setHops(fd, option4, option6, value int) error {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return err
	}
	if domain == unix.AF_INET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, option6, value); err != nil {
			return err
		}
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, option4, value)
}
