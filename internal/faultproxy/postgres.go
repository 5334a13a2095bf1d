package faultproxy

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Postgres returns the DSN, a URL with sslmode=disable, of a database behind a proxy
// like MySQL's.
func Postgres(t testing.TB, dsn string, decide func(statement string) Fate) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = listen(t, u.Host, func(client, server net.Conn) { linkPostgres(client, server, decide) })
	return u.String()
}

func linkPostgres(client, server net.Conn, decide func(string) Fate) {
	var mute atomic.Bool
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		defer client.Close()
		for {
			m, err := message(server, true)
			if err != nil || mute.Load() && m[0] == 'Z' { // ReadyForQuery: the statement was executed
				return
			}
			if mute.Load() {
				continue
			}
			if _, err := client.Write(m); err != nil {
				return
			}
		}
	}()
	var last byte
	for typed := false; ; typed = true { // the first message has no type
		m, err := message(client, typed)
		if err != nil {
			break
		}
		fate := Pass
		if typed {
			if sql := statement(m); sql != "" {
				fate = decide(sql)
			}
		}
		if fate == Withhold {
			return
		}
		if fate == CarryOut || fate == CarryOutLate {
			mute.Store(true)
		}
		if fate == CarryOutLate {
			for m[0] == 'P' && last != 'S' { // the messages of the statement, up to its Sync
				more, err := message(client, true)
				if err != nil {
					return
				}
				m, last = append(m, more...), more[0]
			}
			client.Close()
			time.Sleep(Late)
		}
		if _, err := server.Write(m); err != nil {
			break
		}
	}
	if mute.Load() {
		<-answers
	}
}

// message reads one message of the protocol.
func message(r io.Reader, typed bool) ([]byte, error) {
	head := make([]byte, 4, 64)
	if typed {
		head = head[:5]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
	m := append(head, make([]byte, length)...)
	_, err := io.ReadFull(r, m[len(head):])
	return m, err
}

// statement returns the SQL of a Query or Parse message, "" for any other.
func statement(m []byte) string {
	body := string(m[5:])
	switch m[0] {
	case 'P':
		_, body, _ = strings.Cut(body, "\x00") // the statement's name
		fallthrough
	case 'Q':
		sql, _, _ := strings.Cut(body, "\x00")
		return sql
	}
	return ""
}
