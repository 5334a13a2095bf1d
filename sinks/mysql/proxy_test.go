package mysql

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/internal/servers"
)

// What a proxy does with a statement.
type fate int

const (
	pass     fate = iota
	withhold      // cut the connection; the server never gets it
	carryOut      // have the server carry it out, and cut the connection before its answer
)

// proxied is the DSN of a database behind a proxy that asks decide about each
// statement. decide is called by many goroutines.
func proxied(t testing.TB, db servers.Database, decide func(statement string) fate) string {
	t.Helper()
	cfg, err := driver.ParseDSN(db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := cfg.Addr
	cfg.Addr = l.Addr().String()
	var links sync.WaitGroup
	links.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			links.Go(func() { link(client, server, decide) })
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return cfg.FormatDSN()
}

// link connects one client to the server, until one of them ends it or decide does.
func link(client net.Conn, address string, decide func(string) fate) {
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
		does := pass
		if len(packet) > 5 && packet[3] == 0 && packet[4] == 3 { // the first of a command, COM_QUERY
			does = decide(string(packet[5:]))
		}
		if does == withhold {
			return
		}
		mu.Lock()
		cut = does == carryOut
		mu.Unlock()
		if _, err := server.Write(packet); err != nil {
			return
		}
		if does == carryOut {
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

// once decides so for the first statement that begins with one of these.
func once(does fate, begins ...string) (decide func(string) fate, done func() bool) {
	var mu sync.Mutex
	did := false
	decide = func(statement string) fate {
		mu.Lock()
		defer mu.Unlock()
		for _, begin := range begins {
			if !did && strings.HasPrefix(statement, begin) {
				did = true
				return does
			}
		}
		return pass
	}
	return decide, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return did
	}
}
