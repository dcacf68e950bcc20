// Package nft delivers filters to the packet filter of the Linux host that it runs on, with the program nft: device.Adapter for the dialect of adapters/nftables.
//
// A change is one transaction of the kernel: `nft -f`, after `nft -c -f` has tried it. What stays is not touched, so counters and buckets go on (Edit of the dialect);
// where the kernel does not take that, or shows something else afterwards, the tables are replaced whole.
//
// # Undo
//
// The kernel has no undo timer. A process of its own does it, which outlives this one: it sleeps until the deadline and then loads what was there before, unless the change was
// confirmed. Which of them comes first is decided by the file system: both rename the file with the earlier tables, pending.TOKEN in the directory of the device, and one
// of them finds it gone. Where that process died as well, the next call does its work.
//
// # What is ours
//
// Tables of families ip and ip6 whose names begin with "sluice-". No other table is read or written. A base chain filters what its hook sees, on all interfaces but lo; there is nothing to
// attach.
//
// # Options of a device
//
//	netns       name of the network namespace to work in (ip netns), default: that of the gateway
//	directory   where pending changes stand, default /run/sluice/nft; one directory for each device below it
package nft
