package postgres

import (
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

// pooler behaves like one that assigns server sessions per statement: it reports a
// different process to each client, but shares the server's.
type pooler struct {
	t       *testing.T
	clients atomic.Uint32
}

func (p *pooler) serve(conn net.Conn) {
	defer func() {
		if err := conn.Close(); err != nil {
			p.t.Error(err)
		}
	}()
	b := pgproto3.NewBackend(conn, conn)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		p.t.Error(err)
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.BackendKeyData{ProcessID: 1000 + p.clients.Add(1), SecretKey: []byte{0, 0, 0, 1}})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	var sql string
	for b.Flush() == nil {
		msg, err := b.Receive()
		if err != nil {
			return
		}
		values := []string{"public", "42", "150000", "15", "f"}
		oids := []uint32{25, 23, 23, 25, 16}
		if !strings.Contains(sql, "current_schema") {
			values, oids = values[1:2], oids[1:2]
		}
		switch msg := msg.(type) {
		case *pgproto3.Parse:
			sql = msg.Query
			b.Send(&pgproto3.ParseComplete{})
		case *pgproto3.Query: // a statement without parameters
			sql = msg.String
			p.t.Errorf("unexpected %s", sql)
			return
		case *pgproto3.Bind:
			b.Send(&pgproto3.BindComplete{})
		case *pgproto3.Describe:
			fields := make([]pgproto3.FieldDescription, len(values))
			for i := range fields {
				fields[i] = pgproto3.FieldDescription{Name: []byte(strconv.Itoa(i)), DataTypeOID: oids[i], TypeModifier: -1}
			}
			b.Send(&pgproto3.RowDescription{Fields: fields})
		case *pgproto3.Execute:
			row := make([][]byte, len(values))
			for i, v := range values {
				row[i] = []byte(v)
			}
			b.Send(&pgproto3.DataRow{Values: row})
			b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		case *pgproto3.Sync:
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		case *pgproto3.Terminate:
			return
		}
	}
}

// A pooler that shares the server's sessions between clients is detected before it
// loses a snapshot.
func TestTransactionPoolingIsRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &pooler{t: t}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(wg.Wait)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	_, err = Connection{DSN: config.NewSecret("postgres://joe@" + l.Addr().String() + "/moodle?sslmode=disable"), Prefix: "mdl_"}.Open(t.Context())
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "transaction mode") {
		t.Errorf("got %v", err)
	}
}
