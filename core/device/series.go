package device

import "time"

// Series is what the counters of one rule on a device have come to, as it is remembered across a restart of the gateway.
type Series struct {
	Packets, Bytes uint64
	First, Last    time.Time          // when counters were read that had grown
	Raw            map[string]Counter `json:",omitempty"` // as the device last had them
	Watched        time.Time          // since when they were read without a gap; zero: they are not whole
	As             string             `json:",omitempty"` // what the rule said then, see reconcile
}

// Readings is when the counters of a device were last read, and what all of them have come to.
type Readings struct {
	Read           time.Time
	Packets, Bytes uint64
}
