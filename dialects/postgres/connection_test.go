package postgres

import (
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

const password = "s3cr3t:p@ss/w%rd"

// refusing listens like a server that answers every login with the same error.
func refusing(t *testing.T, code, message string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b := pgproto3.NewBackend(conn, conn)
			if _, err := b.ReceiveStartupMessage(); err == nil {
				b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: message})
				if err := b.Flush(); err != nil {
					t.Error(err)
				}
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
	}()
	return l.Addr().String()
}

// Connection failures are distinguished, and no message contains the password.
func TestConnectionErrors(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	url := func(address string) string {
		return "postgres://joe:s3cr3t%3Ap%40ss%2Fw%25rd@" + address + "/moodle?sslmode=disable"
	}
	for _, c := range []struct {
		dsn, want string
		class     failure.Class
	}{
		{url(nobody), "no answer from the server", failure.Refused},
		{url(refusing(t, "28P01", "password authentication failed")), `wrong user "joe" or password`, failure.Refused},
		{url(refusing(t, "3D000", "database does not exist")), `database "moodle" does not exist`, failure.Refused},
		{url(refusing(t, "53300", "too many clients")), "too many connections (max_connections)", failure.Refused},
		{url(refusing(t, "42501", "permission denied")), `"joe" may not connect`, failure.Refused},
		{"postgres://joe:" + password + "@host:port/db", "dsn is neither", failure.Usage},
		{"host=x password='" + password, "dsn is neither", failure.Usage},
		{url(nobody) + "&sslrootcert=/nonexistent/ca.pem&sslmode=verify-full", "dsn: open /nonexistent/ca.pem", failure.Usage},
	} {
		_, err := Connection{DSN: config.NewSecret(c.dsn), Prefix: "mdl_"}.Open(t.Context())
		if err == nil {
			t.Errorf("%s: no error", c.want)
			continue
		}
		if failure.Of(err) != c.class || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v (class %d), want %q", err, failure.Of(err), c.want)
		}
		for _, secret := range []string{password, "s3cr3t"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error contains the password: %v", err)
			}
		}
	}
}
