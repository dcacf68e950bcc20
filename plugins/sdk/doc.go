// Package sdk turns a device.Adapter into a plugin: a program of its own that sluice starts, watches and talks to over gRPC.
//
// Writing a plugin is writing a device.Adapter and handing it over:
//
//	func main() { sdk.Serve(myadapter.New()) }
//
// Everything else is the boundary's business. Deadlines and cancellation reach the adapter's context. Errors keep their kind: *device.Transient,
// *device.Refused and *device.Drifted arrive as what they were, with the router's words. What device.Report is told reaches whoever
// watches, bounded in rate. What is logged with log/slog after Serve began
// appears in sluice's own log. Standard output belongs to the boundary: never print there. When sluice dies, by whatever death, the plugin
// ends as well.
//
// Versions of the protocol are this package's business too: it speaks the newest and the one before it, and in the older one leaves out what
// that cannot say.
//
// Passwords and keys reach the adapter inside device.Target. They print as "[secret]"; an adapter that converts one to a string uses it
// for logging in and nothing else.
//
// Only this package and adapters/host know what carries the boundary (hashicorp/go-plugin). The messages are documented in
// adapterpb/adapter.proto, for authors in other languages too. What has to hold is written as a test suite: adapters/adaptertest.
package sdk
