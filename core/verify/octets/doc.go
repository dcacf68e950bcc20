// Package octets reads the octets of BGP for package verify, which must not read them with the code that it checks: NLRIs of FlowSpec (RFC 8955 §4, RFC 8956 §3)
// with their order (RFC 8955 §5.1, RFC 8956 §4), and action communities (RFC 8955 §7). It is part of what has to be believed, so it takes what is well-formed and
// canonical and refuses everything else. Its tests hold it to package flowspec, which reads the same octets for the rest of sluice, and with which it shares no code.
package octets
