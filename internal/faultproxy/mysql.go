package faultproxy

import (
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
	cfg, err := driver.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Addr = listen(t, cfg.Addr, linkMySQL, decide)
	return cfg.FormatDSN()
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
