package sshtest

import (
	"crypto/ed25519"
	"net"
	"path/filepath"

	"golang.org/x/crypto/ssh/agent"
)

// ServeAgent runs an SSH agent that holds key, on a socket in dir, until it is stopped.
func ServeAgent(dir string, key ed25519.PrivateKey) (socket string, stop func(), err error) {
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		return "", nil, err
	}
	socket = filepath.Join(dir, "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		return "", nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, c) }()
		}
	}()
	return socket, func() { _ = l.Close() }, nil
}
