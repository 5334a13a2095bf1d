package mysql

import (
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/internal/servers"
)

// Defaults arrive byte by byte: those of binary columns, of which the catalog
// tells only a part, and those with quotes and backslashes in an expression.
func TestDefaultsAreExact(t *testing.T) {
	const columns = `id int PRIMARY KEY, v varbinary(4) DEFAULT 0xFF00, n varbinary(4) NOT NULL DEFAULT 0x00FF27, f binary(3) NOT NULL DEFAULT 0x4100, x varbinary(9) DEFAULT 0x3078,
		e varchar(30) DEFAULT ('a\\b'), g varchar(30) DEFAULT ('it''s'), h varchar(30) DEFAULT (concat('x\\', 'y''', '"', '\n', '\\n')), q varchar(20) DEFAULT 'it''s a\\b', j text DEFAULT ('x\\''y')`
	const look = `SELECT CONCAT_WS('|', HEX(v), HEX(n), HEX(f), HEX(x), HEX(e), HEX(g), HEX(h), HEX(q), HEX(j)) FROM mdl_a`
	const want = "FF00|00FF27|410000|3078|615C62|69742773|785C7927220A5C6E|6974277320615C62|785C2779"
	for _, from := range engines {
		for _, to := range engines {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				t.Parallel()
				a, b := from.make(t), to.make(t)
				create := "CREATE TABLE mdl_a (" + columns + ")"
				if from.name == "MySQL" && to.name == "MySQL" {
					create = "CREATE TABLE mdl_a (" + columns + `, UNIQUE KEY k ((concat(q, 'a\\b', 'it''s'))))`
				}
				exec(t, a, create)
				c := carry(t, a, Config{DSN: config.NewSecret(b.DSN), Prefix: "mdl_"})
				for _, db := range []servers.Database{a, b} {
					exec(t, db, "INSERT INTO mdl_a (id) VALUES (1)")
					if got := one(t, db, look); got != want {
						t.Errorf("the defaults are %s, want %s", got, want)
					}
				}
				if from.name == to.name {
					if got, want := asJSON(t, c.proved[0].Schema), asJSON(t, c.read[0].Schema); got != want {
						t.Errorf("proved schema\n%s\nwant\n%s", got, want)
					}
				}
			})
		}
	}
}
