// Package faultproxy is a proxy between tests and a database server that loses
// statements or answers on purpose. MySQL and Postgres implement the two protocols.
package faultproxy

import (
	"net"
	"testing"
	"time"
)

// Fate says what happens to a statement.
type Fate int

// Fates of statements.
const (
	Pass     Fate = iota
	Withhold      // the connection is cut, and the server never receives the statement
	CarryOut      // the server executes it, and the connection is cut before the answer
	// CarryOutLate also cuts the connection, and passes the statement to the server
	// Late afterwards: before that its effect is not visible.
	CarryOutLate
)

// Late is how long CarryOutLate delays a statement: longer than a run waits before it
// retries a unit.
const Late = 2 * time.Second

// link connects a client to the server until one of them closes the connection or a
// statement's fate cuts it.
type link func(client, server net.Conn)

// listen returns the address of a proxy for a server. It stops when the test ends.
func listen(t testing.TB, server string, link link) string {
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
				link(client, to)
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
