package postgres

import (
	"context"
	"errors"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/internal/servers"
	"github.com/lmsvault/vault/plugins/conformance"
)

func TestContract(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `
		CREATE TABLE mdl_chunks (id bigserial PRIMARY KEY, x text);
		INSERT INTO mdl_chunks (x) SELECT repeat('0123456789', 1500) || E'\t' || n FROM generate_series(1, 1000) n;
		CREATE TABLE mdl_keyless (a int, b bytea);
		INSERT INTO mdl_keyless VALUES (1, '\x00'), (1, '\x00'), (NULL, NULL);
		CREATE TABLE mdl_composite (a text, b int, f real, PRIMARY KEY (b, a));
		INSERT INTO mdl_composite VALUES ('x', 2, 0.1), ('y', 1, 'NaN');
		CREATE TABLE mdl_empty (id bigserial PRIMARY KEY);
		CREATE VIEW mdl_view AS SELECT 1`)
	st := isolated.Stage(t, Stage())
	conformance.Source(t, conformance.SourceFixture{
		Open: func(t testing.TB) stage.Source {
			c := &Config{Connection: postgres.Connection{DSN: config.NewSecret(db.DSN)}}
			if err := config.Defaults(c); err != nil {
				t.Fatal(err)
			}
			s, err := st.NewSource(t.Context(), c, stage.Env{Workers: 3})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Parts:  []string{stage.DB},
		Losses: map[stage.LossKind]int64{stage.LossView: 1},
	})
}

// failing is a target that rejects all rows.
type failing struct {
	heap
	err error
}

func (f *failing) Write(context.Context, stage.Chunk) error { return f.err }

// If a writer fails, which closes the connection, later reads report that failure and
// not the closed connection.
func TestLaterReadsReportFirstError(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE TABLE mdl_a (id bigint PRIMARY KEY, x text);
		INSERT INTO mdl_a SELECT n, repeat('0123456789', 1500) FROM generate_series(1, 1000) n;
		CREATE TABLE mdl_b AS SELECT 1 AS id`)
	s := newSource(t, db.DSN, func(c *Config) { c.Connections = 1 })
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("the target is full")
	for _, u := range inv.Units {
		if err := s.ReadRows(t.Context(), stage.ReadRequest{Unit: u}, &failing{err: full}); !errors.Is(err, full) {
			t.Errorf("unit %s: %v", u.ID, err)
		}
	}
}
