package postgres

import (
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/internal/servers"
)

const password = "s3cr3t:p@ss/w%rd"

// refusing listens as a server that answers every login with one error.
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

// Each way in which a connection fails is told apart, and no message holds the password.
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
		{url(nobody), "no server answers", failure.Refused},
		{url(refusing(t, "28P01", "password authentication failed")), `refuses user "joe" or the password`, failure.Refused},
		{url(refusing(t, "3D000", "database does not exist")), `there is no database "moodle"`, failure.Refused},
		{url(refusing(t, "53300", "too many clients")), "no connection left", failure.Refused},
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
			t.Errorf("it says %v (class %d) instead of %q", err, failure.Of(err), c.want)
		}
		for _, secret := range []string{password, "s3cr3t"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the password stands in %v", err)
			}
		}
	}
}

// Whatever a database's defaults are, a session writes values in one way.
func TestSessionIsIndependentOfDefaults(t *testing.T) {
	db := servers.Postgres(t)
	var name string
	if err := db.SQL.QueryRow("SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	for setting, value := range map[string]string{
		"timezone": "'Asia/Kathmandu'", "datestyle": "'SQL, DMY'", "intervalstyle": "iso_8601", "extra_float_digits": "0", "bytea_output": "escape",
		"statement_timeout": "1", "lock_timeout": "1", "idle_in_transaction_session_timeout": "1", "client_encoding": "latin1", "standard_conforming_strings": "off",
	} {
		if _, err := db.SQL.Exec("ALTER DATABASE " + name + " SET " + setting + " = " + value); err != nil {
			t.Fatal(err)
		}
	}
	// The session is set up within statement_timeout's millisecond, or not at all.
	if _, err := db.SQL.Exec("ALTER DATABASE " + name + " SET statement_timeout = '5s'"); err != nil {
		t.Fatal(err)
	}
	var got, timeouts string
	err := open(t, db.DSN).QueryRow(t.Context(), `SELECT concat_ws('|', '2024-07-01 12:00:00Z'::timestamptz, '2024-02-03'::date, '1 day 2 hours'::interval, 0.1::float8 + 0.2::float8, '\x00ff'::bytea, 'ü', '\'),
		concat_ws('|', current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'))`).Scan(&got, &timeouts)
	if err != nil {
		t.Fatal(err)
	}
	if want := `2024-07-01 12:00:00+00|2024-02-03|1 day 02:00:00|0.30000000000000004|\x00ff|ü|\`; got != want {
		t.Errorf("%s instead of %s", got, want)
	}
	if timeouts != "0|10s|0" {
		t.Errorf("time limits %s", timeouts)
	}
}
