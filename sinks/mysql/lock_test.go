package mysql

import (
	"context"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/internal/servers"
)

// While a restore works on a target, no other one can begin there; afterwards it can.
func TestOneRestoreAtATime(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{DSN: config.NewSecret(engine.make(t).DSN), Prefix: "mdl_"}
			first := open(t, cfg)
			if err := first.Begin(t.Context(), users()); err != nil {
				t.Fatal(err)
			}
			if err := open(t, cfg).Begin(t.Context(), users()); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "another restore") {
				t.Errorf("a second restore: %v", err)
			}
			other := cfg
			other.Prefix = "m2_"
			if err := open(t, other).Begin(t.Context(), users()); err != nil {
				t.Errorf("with another prefix: %v", err)
			}
			if err := first.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := open(t, cfg).Begin(t.Context(), users()); err != nil {
				t.Errorf("after the first: %v", err)
			}
		})
	}
}

// Rejected rows are kept until they are counted, within a limit.
func TestRejectedRowsAreLimited(t *testing.T) {
	db := servers.MariaDB(t)
	sk := open(t, Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"})
	if err := sk.Begin(t.Context(), users()); err != nil {
		t.Fatal(err)
	}
	w, err := sk.WriteRows(t.Context(), stage.Unit{ID: "db/user_info", Part: stage.DB, Table: "user_info"})
	if err != nil {
		t.Fatal(err)
	}
	row := "1\tname\t70000\ta\t\\\\x" + strings.Repeat("00", rows.MaxChunk/4) + "\n"
	held, bound := 0, 34<<20
	if isolated.On() {
		bound += 16 << 20 // data in transit
	}
	for err == nil && held < 64<<20 {
		err = w.Write(t.Context(), stage.Chunk{Data: []byte(row), Rows: 1})
		held += len(row)
	}
	if err == nil || !strings.Contains(err.Error(), "32 MiB") || held > bound {
		t.Errorf("after %d bytes of refused rows: %v", held, err)
	}
	if err := w.Abort(t.Context()); err != nil {
		t.Error(err)
	}
}
