package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/internal/servers"
)

func open(t testing.TB, dsn string) *Conn {
	t.Helper()
	c, err := Connection{DSN: config.NewSecret(dsn), Prefix: "mdl_", LockTimeout: config.Duration(10 * time.Second)}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func sum(t testing.TB, c *Conn, r Reader) (s rows.Sum) {
	t.Helper()
	err := c.Read(t.Context(), r, func(_ context.Context, data []byte, n int) error {
		before := s.Rows
		if err := s.AddChunk(data); err != nil {
			return err
		}
		if s.Rows-before != int64(n) {
			return fmt.Errorf("chunk of %d rows is announced as %d", s.Rows-before, n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The ranges of a table's key contain every row once, whatever the keys, and reading
// by range returns the same rows as reading the whole.
func TestRangesHoldEveryRowOnce(t *testing.T) {
	db := servers.Postgres(t)
	for name, keys := range map[string]string{
		"dense":  "SELECT i FROM generate_series(1, 20000) i",
		"sparse": "SELECT i::bigint * i * 1000 FROM generate_series(1, 20000) i",
		"ends":   "SELECT -9223372036854775808 UNION ALL SELECT 9223372036854775807 UNION ALL SELECT i FROM generate_series(-10000, 10000) i",
	} {
		if _, err := db.SQL.ExecContext(t.Context(), fmt.Sprintf(`CREATE TABLE mdl_%s (id bigint PRIMARY KEY, v text);
			INSERT INTO mdl_%s SELECT k, repeat('x', 50) || k FROM (%s) x (k); ANALYZE mdl_%s`, name, name, keys, name)); err != nil {
			t.Fatal(err)
		}
	}
	c := open(t, db.DSN)
	l, err := c.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := c.Inspect(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range catalog.Tables {
		ranges, err := c.Ranges(t.Context(), table, table.Bytes/10)
		if err != nil {
			t.Fatal(err)
		}
		if len(ranges) < 2 {
			t.Errorf("%s has %d ranges", table.Name, len(ranges))
		}
		var parts rows.Sum
		for i := range ranges {
			part := sum(t, c, Reader{Table: &table.Table, Range: &ranges[i]})
			if part.Rows == 0 {
				t.Errorf("%s: range %s is empty", table.Name, ranges[i])
			}
			parts.Merge(part)
		}
		if whole := sum(t, c, Reader{Table: &table.Table}); whole != parts || whole.Rows < 20000 {
			t.Errorf("%s: the whole is %s, all ranges are %s", table.Name, whole, parts)
		}
	}
}

func TestReadReportsDroppedTable(t *testing.T) {
	c := open(t, servers.Postgres(t).DSN)
	err := c.Read(t.Context(), Reader{Table: &schema.Table{Name: "gone", Columns: []schema.Column{{Name: "id"}}}}, nil)
	if err == nil || !Gone(err) {
		t.Errorf("got %v", err)
	}
}
