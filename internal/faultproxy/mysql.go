package faultproxy

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// MySQL returns the DSN of a database behind a proxy that calls decide for each
// statement before the server gets it. decide must be safe for concurrent use. The
// proxy stops when the test ends.
func MySQL(t testing.TB, dsn string, decide func(statement string) Fate) string {
	t.Helper()
	return MySQLConnections(t, dsn, func(_ uint32, statement string) Fate { return decide(statement) })
}

// MySQLConnections is MySQL for a decide that also wants the server's number of the
// connection, the one that KILL takes.
func MySQLConnections(t testing.TB, dsn string, decide func(connection uint32, statement string) Fate) string {
	t.Helper()
	cfg, err := driver.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Addr = listen(t, cfg.Addr, func(client, server net.Conn) {
		greeting, err := readPacket(server)
		if err != nil {
			return
		}
		if _, err := client.Write(greeting); err != nil {
			return
		}
		number := connectionNumber(greeting)
		linkMySQL(client, server, func(statement string) Fate { return decide(number, statement) })
	})
	return cfg.FormatDSN()
}

// connectionNumber reads the number from the server's first packet: after the header and
// the protocol's version stands the server's, which ends with a zero, then the number.
// An error in place of a greeting has none, and gives 0.
func connectionNumber(greeting []byte) uint32 {
	if len(greeting) < 5 || greeting[4] != 10 {
		return 0
	}
	_, rest, _ := bytes.Cut(greeting[5:], []byte{0})
	if len(rest) < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(rest)
}

func linkMySQL(client, server net.Conn, decide func(string) Fate) {
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
		if len(packet) > 5 && packet[3] == 0 && packet[4] == 3 { // first packet of a command, COM_QUERY
			does = decide(string(packet[5:]))
		}
		if does == Withhold {
			return
		}
		mu.Lock()
		cut = does == CarryOut || does == CarryOutLate
		mu.Unlock()
		if does == CarryOutLate {
			client.Close()
			time.Sleep(Late)
		}
		if _, err := server.Write(packet); err != nil {
			return
		}
		if does == CarryOut || does == CarryOutLate {
			<-answered
			return
		}
	}
}

// readPacket reads a packet of the protocol with its header: 3 bytes of length, 1 of
// sequence number.
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
