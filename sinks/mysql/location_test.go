package mysql

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

// A run never replaces what it reads, whatever address is used; a snapshot may
// replace the site it was made from.
func TestSourceIsNotReplaced(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_user_info (id int PRIMARY KEY)")
			p := swapping()
			location, err := connect(t, db).Location(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p.Facts["prefix"], p.Locations, p.Snapshots = "mdl_", []string{location}, []string{"x"} // of the files
			cfg := Config{DSN: config.NewSecret(strings.Replace(db.DSN, "127.0.0.1", "localhost", 1)), Prefix: "mdl_"}
			for prefix, refused := range map[string]bool{"mdl_": true, "mdl_x_": true, "": true, "m2_": false} {
				cfg.Prefix = prefix
				_, err := open(t, cfg).Check(t.Context(), p)
				if got := failure.Of(err) == failure.Refused && strings.Contains(err.Error(), "same database"); got != refused {
					t.Errorf("prefix %q: %v", prefix, err)
				}
			}
			cfg.Prefix, p.Locations = "mdl_", nil
			if _, err := open(t, cfg).Check(t.Context(), p); err != nil {
				t.Errorf("a snapshot: %v", err)
			}
		})
	}
}
