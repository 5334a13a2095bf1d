package mysql

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/internal/servers"
)

// cells maps SQL values to the canonical text defined in package schema.
var cells = []struct{ column, value, want string }{
	{"bigint unsigned", "18446744073709551615", "18446744073709551615"},
	{"bigint", "-9223372036854775808", "-9223372036854775808"},
	{"int(8) unsigned zerofill", "42", "42"},
	{"decimal(10,5)", "1.5", "1.50000"},
	{"decimal(8,2) unsigned zerofill", "1.5", "1.50"},
	{"decimal(8,2) unsigned zerofill", "0", "0.00"},
	{"decimal(65,30)", "-0.000000000000000000000000000001", "-0.000000000000000000000000000001"},
	{"float", "1.1234568", "1.1234568"},
	{"float", "16777216", "1.6777216e+07"},
	{"double", "5e-324", "5e-324"},
	{"double", "1e-7", "1e-07"},
	{"double", "1e20", "1e+20"},
	{"bit(10)", "b'101'", "0000000101"},
	{"bit(64)", "b'1000000000000000000000000000000000000000000000000000000000000001'", "1" + strings.Repeat("0", 62) + "1"},
	{"date", "'0000-00-00'", "0000-00-00"},
	{"date", "'2024-00-15'", "2024-00-15"},
	{"date", "'0009-12-04'", "0009-12-04"},
	{"time", "'-838:59:59'", "-838:59:59"},
	{"time(6)", "'01:02:03.120000'", "01:02:03.12"},
	{"time(3)", "0", "00:00:00"},
	{"datetime(6)", "'2024-02-29 23:59:59.000001'", "2024-02-29 23:59:59.000001"},
	{"datetime(3)", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"},
	{"datetime(6)", "'2024-02-29 10:00:00.500000'", "2024-02-29 10:00:00.5"},
	{"timestamp(3)", "'2038-01-19 03:14:07.999'", "2038-01-19 03:14:07.999"},
	{"year", "0", "0000"},
	{"year", "2155", "2155"},
	{"enum('a','it''s')", "'it''s'", "it's"},
	{"set('x','y')", "'y,x'", "x,y"},
	{"char(10)", "'a  '", "a"},
	{"varchar(10)", "'a  '", "a  "},
	{"varchar(10) character set latin1", "'äß€'", "äß€"},
	{"text", `'tab\tnl\ncr\rback\\ zero\0 \\N'`, `tab\tnl\ncr\rback\\ zero` + "\x00" + ` \\N`},
	{"text", "'😀'", "😀"},
	{"text", "''", ""},
	{"text", "NULL", `\N`},
	{"blob", "x'00FF5C0A'", `\\x00ff5c0a`},
	{"blob", "''", `\\x`},
	{"binary(3)", "'a'", `\\x610000`},
	{"json", `'{"a": 1}'`, `{"a": 1}`},
	{"point", "ST_GeomFromText('POINT(1 2)')", `\\x000000000101000000000000000000f03f0000000000000040`},
}

func TestCanonicalText(t *testing.T) {
	for name, make := range map[string]func(testing.TB) servers.Database{"MariaDB": servers.MariaDB, "MySQL": servers.MySQL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := make(t)
			s, err := Connect(t.Context(), config.NewSecret(db.DSN))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			columns, values := []string{"id int NOT NULL PRIMARY KEY"}, []string{"1"}
			for k, c := range cells {
				columns = append(columns, Ident("c"+string(rune('A'+k/26))+string(rune('a'+k%26)))+" "+c.column+" NULL")
				values = append(values, c.value)
			}
			for _, statement := range []string{
				"CREATE TABLE mdl_t (" + strings.Join(columns, ", ") + ") CHARACTER SET utf8mb4",
				"INSERT INTO mdl_t VALUES (" + strings.Join(values, ", ") + ")",
			} {
				if _, err := s.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			st, err := s.Inspect(t.Context(), "mdl_")
			if err != nil {
				t.Fatal(err)
			}
			conn, err := s.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got [][]byte
			b := rows.NewBuilder(func(_ context.Context, data []byte, _ int) error {
				row, _, _, err := rows.Next([]byte(string(data)))
				got = rows.Split(got, row)
				return err
			})
			err = NewReader("mdl_t", st.Tables[0].Table).Read(t.Context(), conn, keyrange.Range{}, b)
			if err := errors.Join(err, b.Flush(t.Context()), conn.Close()); err != nil {
				t.Fatal(err)
			}
			for k, c := range cells {
				if string(got[k+1]) != c.want {
					t.Errorf("%s %s: %q, want %q", c.column, c.value, got[k+1], c.want)
				}
			}
		})
	}
}
