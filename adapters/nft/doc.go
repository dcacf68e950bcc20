// Package nft delivers filters to the packet filter of Linux, of the host that it runs on or of one behind SSH, with the program nft: device.Adapter for the dialect of adapters/nftables.
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
// # Behind SSH
//
// A device with an address is reached over SSH, and the same is done there by the functions of far.sh, in POSIX sh with coreutils and nft. For each call a process on the host takes a lock, and holds it for as long as
// words come over the connection; it is also whose death has the undo process begin to count. Each function has a channel of its own, gets its script and what it is to load by standard input, and answers between two marks:
//
//	hold       takes the lock, does what an undo process left undone that died, says which changes wait
//	run        reads: nft list
//	arm        keeps what takes the change back, and begins the undo process
//	script     nft -c -f, and nft -f, over a file that has come whole
//	made       the change is made, its time runs
//	confirm    or cancel, in a call of their own
//
// nft reads no script from the connection: what is cut off on the way would be a script as well, with less in it. What has begun ends as it should when the connection breaks, and the lock is kept until then. Times are counted,
// or compared with each other, by the clock of the host alone. A session that is lost is *device.Transient, and never says that nothing was changed.
//
// # What is ours
//
// Tables of families ip and ip6 whose names begin with "sluice-". No other table is read or written. A base chain filters what its hook sees, on all interfaces but lo; there is nothing to
// attach.
//
// # Options of a device
//
//	netns       name of the network namespace to work in (ip netns), default: that of the gateway, or of the user who logs in
//	directory   where pending changes stand, default /run/sluice/nft; one directory for each device below it
//
// and of one with an address
//
//	agent       socket of an SSH agent, whose keys are offered before the target's private key and password; its whole path
//	program     nft, default: as the PATH of the user has it
//	sudo        true: run it by sudo, without a password; default false
package nft
