package mysql

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// The longest keys that the servers accept are created; a longer index is a loss.
func TestLongestKeys(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			from, to := engine.make(t), engine.make(t)
			exec(t, from,
				`CREATE TABLE mdl_one (id bigint PRIMARY KEY, v varchar(768) NOT NULL, w varchar(768), UNIQUE KEY v (v), KEY w (w)) CHARACTER SET utf8mb4`,
				`CREATE TABLE mdl_many (a varchar(500), b varchar(266), n bigint NOT NULL, PRIMARY KEY (n, a, b), UNIQUE KEY u (b, a, n), KEY p (a(500), b(266), n)) CHARACTER SET utf8mb4`,
				`CREATE TABLE mdl_bytes (a varbinary(3072), b varchar(1024) CHARACTER SET utf8mb3, UNIQUE KEY a (a), UNIQUE KEY b (b)) CHARACTER SET utf8mb4`,
				`INSERT INTO mdl_one VALUES (1, REPEAT('😀', 768), REPEAT('ä', 768))`)
			c := carry(t, from, Config{DSN: config.NewSecret(to.DSN), Prefix: "mdl_"})
			for _, l := range slices.Concat(c.losses, c.refused) {
				t.Errorf("lost: %s", asJSON(t, l))
			}
			for _, name := range []string{"mdl_one", "mdl_many", "mdl_bytes"} {
				a, b := one(t, from, "SHOW CREATE TABLE "+name), one(t, to, "SHOW CREATE TABLE "+name)
				if sortedLines(a) != sortedLines(b) {
					t.Errorf("%s: structure\n%s\nwant\n%s", name, b, a)
				}
			}
			p, _ := plan(t, from, "mdl_")
			for k := range p.Tables {
				if v := p.Tables[k].Schema.Column("v"); v != nil {
					v.Type.Length, v.Native = 769, "varchar(769)"
				}
			}
			found, err := open(t, Config{DSN: config.NewSecret(engine.make(t).DSN), Prefix: "mdl_"}).Check(t.Context(), p)
			losses := found.Losses
			if want := stage.LostIndex("one", "v", "its key needs 3076 bytes; InnoDB allows 3072"); err != nil || fmt.Sprint(losses) != fmt.Sprint([]stage.Loss{want}) {
				t.Errorf("losses %+v (%v), want %+v", losses, err, want)
			}
		})
	}
}

// If a restore into mdl_ was interrupted, most tables of a site are missing there; a
// complete site mdl_old_ beside it stays nevertheless.
func TestReplacingHalfRestoredSiteKeepsOtherSite(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			want := []string{"mdl_old_config", "mdl_old_config_plugins", "mdl_old_course", "mdl_old_log", "mdl_old_user"}
			for _, name := range append([]string{"mdl_config", "mdl_vault_restoring"}, want...) {
				exec(t, db, "CREATE TABLE "+name+" (id int PRIMARY KEY)")
			}
			write(t, swapping(), Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}, feed(`1	a	1	a	\N`))
			if got := siteTables(t, db, ""); !slices.Equal(got, append(want, "mdl_user_info")) {
				t.Errorf("there are %q", got)
			}
		})
	}
}
