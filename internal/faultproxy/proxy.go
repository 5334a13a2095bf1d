// Package faultproxy puts a proxy between tests and a database server, which loses
// statements or answers on purpose. MySQL and Postgres speak the two protocols.
package faultproxy

import (
	"net"
	"testing"
	"time"
)

// Fate is what becomes of a statement.
type Fate int

// The fates of statements.
const (
	Pass     Fate = iota
	Withhold      // the connection is cut, and the server never gets it
	CarryOut      // the server carries it out, and the connection is cut before its answer
	// CarryOutLate cuts the connection too, and lets the server have the statement
	// only Late afterwards: whoever asks before does not see what it does.
	CarryOutLate
)

// Late is how long CarryOutLate holds a statement back: longer than a run waits
// before it begins a unit again.
const Late = 2 * time.Second

// link connects a client to the server, until one of them ends it or decide does.
type link func(client, server net.Conn, decide func(statement string) Fate)

// listen returns the address of a proxy for a server. It ends with the test.
func listen(t testing.TB, server string, link link, decide func(statement string) Fate) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				to, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer to.Close()
				link(client, to, decide)
			}()
		}
	}()
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}
