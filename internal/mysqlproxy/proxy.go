// Package mysqlproxy puts a proxy between tests and a MySQL or MariaDB server, which
// loses statements or answers on purpose.
package mysqlproxy

import (
	"io"
	"net"
	"sync"
	"testing"

	driver "github.com/go-sql-driver/mysql"
)

// Fate is what becomes of a statement.
type Fate int

// The fates of statements.
const (
	Pass     Fate = iota
	Withhold      // the connection is cut, and the server never gets it
	CarryOut      // the server carries it out, and the connection is cut before its answer
)

// Start returns the DSN of a database behind a proxy that asks decide about each
// statement, before the server gets it. decide is called by many goroutines. The
// proxy ends with the test.
func Start(t testing.TB, dsn string, decide func(statement string) Fate) string {
	t.Helper()
	cfg, err := driver.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := cfg.Addr
	cfg.Addr = l.Addr().String()
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go link(client, server, decide)
		}
	}()
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return cfg.FormatDSN()
}

// link connects one client to the server, until one of them ends it or decide does.
func link(client net.Conn, address string, decide func(string) Fate) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	var mu sync.Mutex // held while the server's answer is withheld
	answered := make(chan struct{}, 1)
	var cut bool
	go func() {
		defer client.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil {
				return
			}
			mu.Lock()
			withheld := cut
			mu.Unlock()
			if withheld {
				answered <- struct{}{}
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	for {
		packet, err := readPacket(client)
		if err != nil {
			return
		}
		does := Pass
		if len(packet) > 5 && packet[3] == 0 && packet[4] == 3 { // the first of a command, COM_QUERY
			does = decide(string(packet[5:]))
		}
		if does == Withhold {
			return
		}
		mu.Lock()
		cut = does == CarryOut
		mu.Unlock()
		if _, err := server.Write(packet); err != nil {
			return
		}
		if does == CarryOut {
			<-answered
			return
		}
	}
}

// readPacket reads a packet of the protocol with its header: 3 bytes of length, 1 of sequence.
func readPacket(r io.Reader) ([]byte, error) {
	packet := make([]byte, 4)
	if _, err := io.ReadFull(r, packet); err != nil {
		return nil, err
	}
	length := uint32(packet[0]) | uint32(packet[1])<<8 | uint32(packet[2])<<16
	packet = append(packet, make([]byte, length)...)
	_, err := io.ReadFull(r, packet[4:])
	return packet, err
}
