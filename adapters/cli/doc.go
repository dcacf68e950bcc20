// Package cli reads and writes filters at a terminal over SSH, as an operator would type them. It is a transport: what is typed is the business of a Dialect, how a system is spoken to stands
// in a table of platforms, and New joins them into a device.Adapter. Levels, prompts and echoes are followed by github.com/scrapli/scrapligo, over connections of our own.
//
// # One change
//
// On EOS:
//
//	show configuration sessions detail     nobody's change waits for its confirmation; sessions of ours that a cut left behind are removed
//	configure session NAME                 a copy of what is running, under a name that is the token of the change
//	show session-config named NAME         what is there must be what the change was computed from, or it is *device.Drifted
//	(lines)                                only those that differ, where lines have numbers
//	show session-config named NAME         what a commit would lead to, proven to be what was asked for
//	configure session NAME commit timer    the device undoes it by itself unless it is confirmed in time
//	show configuration sessions detail     it says that it will
//	show running-config                    and holds the change
//	...                                    Apply returns here; the caller decides
//	configure session NAME commit          Confirm; or abort: Cancel. Either from any connection, of any process
//
// On IOS XR it is `configure exclusive`, `show configuration merge` and `commit confirmed`, on Junos the candidate under its lock, and the session stays open: only it confirms, and only time undoes.
//
// Nothing runs before the commit: a connection that breaks in the middle of a line leaves a session that nobody commits, and the next change removes it.
//
// # What is believed
//
// A line is entered only after the device has echoed it as it was typed. A prompt is the name of the host as it was learned at the start, at the very end of what was printed; it says that the
// device is done, not that it did anything. A line that says that something failed is *device.Refused, in the words of the device; a question in place of a prompt ends the connection. A
// configuration that does not end as the system ends it was not printed whole, and is not read.
//
// scrapligo has no contexts, and its time-outs end nothing that blocks: every exchange has a deadline of ours, after which the connection is closed. What its errors quote goes nowhere.
//
// # Options of a device
//
//	agent      socket of an SSH agent, whose keys are offered before the target's private key and password; its whole path
//	instances  routing instances that filters may redirect into, as filter.ParseInstances reads them; not every dialect has them
//	save       true: make the running configuration outlive a reboot after each confirmation; default false, since that saves what others have not saved as well
package cli
