// Package host runs adapter plugins: each in a process of its own, started, watched, restarted and ended here, each appearing as an ordinary device.Adapter.
//
// A plugin is either built into this very program, which then runs its own file again with the arguments "plugin-run NAME", or a file that
// the configuration names together with its SHA-256 checksum. Both cross the same boundary (package plugins/sdk).
//
// What a plugin gets: an environment with nothing of ours in it (no secrets, no PATH), a standard input that ends when we do, and devices'
// credentials call by call. What it can do to us: fail its own calls. A plugin that dies, hangs or talks nonsense costs the devices it serves a
// *device.Transient and nothing else; it is started again after a pause that grows while it keeps dying, and left alone where that does not help. What it says of its
// devices' credentials is hidden. Its next release takes over from it without a call being lost (Upgrade).
//
// The checksum is verified before each start, and the file is executed after that: keep plugins in a directory that only root can write.
package host
