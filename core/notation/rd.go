package notation

import "github.com/sluice-gateway/sluice/core/flowspec"

// RDText prints a route distinguisher as every notation writes it: 65000:1, or 192.0.2.1:1 (RFC 4364 §4.2).
func RDText(rd flowspec.RD) string { return rdText(rd) }
