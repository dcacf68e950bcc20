// Package ciscoacl is what the access lists of Cisco's systems have in common: lines with numbers, of which the first that matches permits or denies a packet. What a line
// looks like in a system, as text and as XML, is the business of its dialect, which is a Language here.
//
// # Two parts
//
// A line names its protocol, so ports, TCP flags and ICMP fields are never compared in another one; but what a line with such conditions does to later fragments, which have
// no transport header, depends on what it does to the others. "The ACL logic assumes that if the Layer 3 information matches, then the Layer 4 information would also
// match, if it was available": a permit takes later fragments of any port along, a deny leaves them to the lines below (Cisco document 8014, "Access Control Lists and IP
// Fragments"). So a filter that looks at transport headers is written in two parts. The first is about later fragments alone and ends by permitting the rest of them, so that
// the second meets none, and no line of it ever meets a packet that it could misread. A filter that looks at no transport header has the second part only.
//
// In front of the operator's list (placement before) nothing may be permitted, so there is no first part either; a deny with ports leaves later fragments alone by itself,
// which is documented for IPv4.
//
// # Places
//
// An entry has one place in both parts: at place 200 the remark is line 2000 and the entry 2001 of the first part, 10002000 and 10002001 of the second. The remark
// carries the entry's name. Reading keeps places in filter.Entry.Place, and Edit gives a new entry one between its neighbours, so that a changed rule changes its own
// lines and no others.
package ciscoacl
