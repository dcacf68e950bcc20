// Package bgp_test runs the BGP speaker against the real ExaBGP, BIRD, FRR and gobgpd of Debian, on loopback addresses and high ports of their own. It needs the
// packages exabgp, bird2, frr and gobgpd, and no root. A missing program is a failure: a test that was skipped has shown nothing.
package bgp_test
