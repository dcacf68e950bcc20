// Package session is one BGP-4 session, from the TCP connection to the octets of UPDATE messages (RFC 4271). It knows what a message is and
// what a path attribute is; it does not know what a rule is. Package bgp gives the octets their meaning.
//
// A Peer is one configured neighbour. Its Run owns the state machine: it dials, takes connections that a Server accepted for it, exchanges
// OPEN messages, resolves collisions, and calls a Handler from its own goroutine when the session is up, when an UPDATE came, and when it is
// down again. Each connection has a reader, and from the first KEEPALIVE on a sender of KEEPALIVEs; all of them end before Run returns.
//
//	peer, err := session.NewPeer(session.Config{Name: "edge1", LocalAS: 64500, RouterID: id, RemoteAS: 64501, Remote: addr, Families: fams}, handler)
//	go peer.Run(ctx)
//
// Offered are four-octet AS numbers (RFC 6793), route refresh (RFC 2918, RFC 7313) and exactly the configured address families (RFC 4760): Junos
// has been seen to refuse a neighbour whose families differ from its own. Several paths for one NLRI (RFC 7911) are taken where the configuration says so, and never sent. Graceful restart (RFC 4724, RFC 8538) is offered where the configuration has a Restart
// Time; what survives a session is then in Negotiated.Survives.
//
// GoBGP's packet library encodes and decodes OPEN, capabilities, path attributes and NOTIFICATION. It never sees MP_REACH_NLRI or
// MP_UNREACH_NLRI: ParseUpdate cuts them out first, because v3 ends the process on some malformed FlowSpec NLRIs. Every call
// of it is guarded, so that a panic is an error about one message.
package session
