// Package netconf reads and writes filters over NETCONF (RFC 6241) over SSH (RFC 6242). It is a transport: what a filter looks like on the wire is
// the business of a Dialect, and New joins the two into a device.Adapter.
//
// # One change
//
//	lock candidate             refused while anybody else edits, or when edits of somebody else lie there uncommitted
//	get-config running         what is there must be what the change was computed from, or it is *device.Drifted
//	edit-config candidate      whole filters and policers of ours are replaced or deleted, nothing else is mentioned
//	commit confirmed           the device undoes it by itself unless it is confirmed in time
//	get-config running         only an <ok/> followed by a matching read counts
//	...                        Apply returns here; the caller decides
//	commit                     Confirm; or cancel-commit: Cancel
//	unlock
//
// The candidate stays locked from the first step to the last, so that nobody's commit confirms ours in passing; that is why the window is at most
// a minute. A connection that breaks ends the lock. What then happens to a pending change depends on the device: with :confirmed-commit:1.1 it
// was applied with a persist-id, survives, and any process that has the Commit can confirm or cancel it; with :confirmed-commit:1.0 the device
// undoes it (RFC 6241 section 8.4.1, RFC 4741 section 8.4), or, as Junos does, keeps its timer running and takes the next commit as the confirmation.
//
// # One session
//
// There is one SSH connection for each device, kept and used by one call at a time, dialled again when it is dead. Every exchange has a deadline; an
// exchange that misses it ends the connection, because nobody knows any more which answer belongs to which question.
//
// Sessions and RPCs are those of github.com/Juniper/go-netconf; the transport under them is ours, because its own has no deadlines, loses messages
// that arrive together and knows only the framing of NETCONF 1.0.
package netconf
