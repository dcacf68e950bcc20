// Package gnmi reads and writes access lists of openconfig-acl over gNMI (openconfig/reference, rpc/gnmi/gnmi-specification.md 0.10). It is a transport: what an access list says is
// the business of a filter.Dialect whose text is the JSON of gNMI (adapters/openconfig), and New joins the two into a device.Adapter.
//
// # One change
//
//	Get /acl/acl-sets     what is there must be what the change was computed from, or it is *device.Drifted
//	Set                   one transaction: entries of ours that differ are replaced or deleted, and so are sets that are new or gone; nothing else is mentioned
//	Get /acl/acl-sets     only a Set followed by a matching read counts
//
// Entries keep their numbers, and new ones get numbers in between; a set that another hand made into what is not understood is replaced whole. gNMI has no lock: what somebody else
// writes to our sets between the first read and the Set is found by the read after it.
//
// # Undo
//
// Where the option `commit: confirmed` says that the device offers it, the Set carries the commit-confirmed extension (rpc/gnmi/gnmi-commit-confirmed.md): the device undoes it unless Confirm comes, and any
// process that has the Commit can confirm or cancel it. Whether the device heeds the extension is asked before each change, since nothing in the protocol makes a device that does not know it say so: the confirmation
// of a change that nobody made must be refused.
//
// Elsewhere nothing undoes a change that locks us out. The Set is made and read back; where the device holds something else then, a second Set puts back what was there, as the device had shown it. The Commit comes back
// Confirmed.
//
// # What is ours
//
// Entries of /acl/acl-sets whose names begin with "sluice-". Other sets are read, since gNMI cannot ask for names by their beginning, and passed over; /acl/interfaces is read to see where ours are attached.
//
// # Options of a device
//
//	ca-file       PEM file with the authorities that may sign the device's certificate; default: those of the system
//	server-name   name that the certificate must be for; default: the host of the address
//	cert-file     PEM file with a client certificate, and those of its authorities behind it
//	key-file      PEM file with its key; default: the device's private-key
//	commit        immediate (default), or confirmed
//
// The connection is TLS 1.2 or later, always. The username and the password travel in the metadata of each call (rpc/gnmi/gnmi-authentication.md).
package gnmi
