// Package netconftest is a NETCONF server over SSH in the same process: a router's configuration engine without the router. It has a candidate, locks,
// confirmed commits with persist-id and an undo timer that runs, and a store that understands edits, so that what a client wrote is what the next one reads.
//
//	s, err := netconftest.Start(netconftest.Options{})
//	defer s.Close()
//	... dial s.Addr(), user s.Username(), password s.Password(), host key s.HostKey()
//
// It behaves as RFC 6241 says, in the words of Junos where a router would say something, and, when told so, as routers do on bad days: Fail makes it
// hang, answer late, lose a session, say ok and do nothing. It knows no schema: list entries are elements with a <name>, everything else is a container or a
// leaf, which is true of a Junos configuration, and of filters of SR OS and access lists of IOS XE with the keys of their lists.
//
// Tests and the demonstration use it. It shares no code with the client.
package netconftest
