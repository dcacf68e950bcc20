// Package rib keeps the rules of every source, decides which are in force, and publishes them.
//
// A source says things with an [Event]: announcements, withdrawals, that it is there, that it is gone, that it has said all it has.
// [RIB.Run] is the one goroutine that owns the rules. For each event it updates the Adj-RIB-In of the source, selects
// anew where an NLRI was touched, publishes a [Snapshot], and hands the change to the store. Publishing does not wait for the
// store; the answer to Event.Done does.
//
// # Selection
//
// A rule is identified by its family and canonical NLRI. Of rules with one NLRI the one from the source with the highest
// Preference is in force, and among equal preferences the one from the source whose name sorts first. Nothing else counts,
// neither age nor staleness, so the outcome never depends on who spoke first. The others stay in their Adj-RIB-In, and
// the next of them is in force when the first is withdrawn or expires.
//
// # Stale rules
//
// A rule is stale, and in force all the same, while its source may be gone: after Down when the source is held, after Up
// until the source repeats it, and after a restart of the gateway. What stays stale is swept at End-of-RIB, or for a source with
// Quiet after that long without an update, since some speakers send End-of-RIB before their rules. A last bound always applies (RFC
// 4724 §4.2 and RFC 8538 §4.1 ask for one): Hold after Down, Return after a restart, three minutes after Up.
//
// # Withdrawals that are not believed
//
// A source that withdraws most of its rules at once may mean it, or may have lost its memory. With a [MassWithdrawal] in its policy such rules stay in force for a while, with that end,
// until somebody accepts the withdrawal or the source says them again.
//
// # Snapshots
//
// Readers take the newest [Snapshot] and never wait for the RIB. Snapshots share what they have in common; [Snapshot.Since]
// tells what changed from an older one. [RIB.Watch] wakes a reader; however many changes there were, it reads once.
package rib
