// Package sshclient logs in to devices over SSH (RFC 4252, RFC 4253). It is what the transports that speak over SSH have in common: who we are, whether the device is who it
// should be, and what of a failure time may heal.
package sshclient
