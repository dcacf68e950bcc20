// Package bmp is a monitoring station (RFC 7854): routers tell it what they hold in the Adj-RIB-In of their session with us, which BGP itself never says.
//
// A [Station] accepts connections from the addresses of the routers that it was given, and from nobody else. Each router has a [Router]: a copy of its Adj-RIB-In for one BGP session, ours,
// which the per-peer header tells from others by address, AS number and BGP identifier, and by the route distinguisher where it is in a VRF of the router. What a router says of other sessions is read past.
//
// A route counts as held where it came over our session and the router shows it, with the actions that it was sent, in its Loc-RIB (RFC 9069), where it shows that, or else post-policy, that is behind its
// import policy. Neither pre-policy nor Loc-RIB alone is enough: the one says that a route arrived, the other does not say from which session it is. Adj-RIB-Out (RFC 8671) says what the router
// sends, and is read past. None of them says that a rule was programmed into hardware.
//
// The packet library decodes the headers. The UPDATE inside goes where those of sessions go, package session and our own codec, since FlowSpec must not reach the decoder of the library. Whatever
// cannot be understood ends that connection and nothing else, and with the connection goes all that was shown over it.
package bmp
