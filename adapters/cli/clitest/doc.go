// Package clitest emulates the dialogue of a router's command line over SSH, in the same process. It is no device: it is what public sources show of the dialogue, written down as a
// program, so that a client can be tried with what no device does on demand. It echoes what is typed, pages until it is told not to, prints prompts and failures as the system does, keeps
// a configuration that sessions are copies of, and commits with a timer that undoes.
//
//	s, err := clitest.Start(clitest.Options{})
//	defer s.Close()
//	... dial s.Addr(), user s.Username(), password s.Password(), host key s.HostKey()
//
// What it keeps is text: access lists with their numbers, traffic policies, and blocks that it does not look into. It knows no syntax beyond what tells these apart, so a line that it takes
// may be one that a device refuses. It shares no code with the client.
package clitest
