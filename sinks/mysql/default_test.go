package mysql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/internal/servers"
)

// Defaults arrive byte by byte: those of binary columns, which the catalog truncates,
// and those with quotes, backslashes and NUL.
func TestDefaultsAreExact(t *testing.T) {
	const columns = `id int PRIMARY KEY, v varbinary(4) DEFAULT 0xFF00, n varbinary(4) NOT NULL DEFAULT 0x00FF27, f binary(3) NOT NULL DEFAULT 0x4100, x varbinary(9) DEFAULT 0x3078,
		e varchar(30) DEFAULT ('a\\b'), g varchar(30) DEFAULT ('it''s'), h varchar(30) DEFAULT (concat('x\\', 'y''', '"', '\n', '\\n')), q varchar(20) DEFAULT 'it''s a\\b', j text DEFAULT ('x\\''y'), k varchar(9) NOT NULL DEFAULT 'a\0b\0', l text DEFAULT ('\0c')`
	const look = `SELECT CONCAT_WS('|', HEX(v), HEX(n), HEX(f), HEX(x), HEX(e), HEX(g), HEX(h), HEX(q), HEX(j), HEX(k), HEX(l)) FROM mdl_a`
	const want = "FF00|00FF27|410000|3078|615C62|69742773|785C7927220A5C6E|6974277320615C62|785C2779|61006200|0063"
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

// Defaults arrive exactly even if the catalog rounds them: six digits of a 4-byte
// float, a question mark for an emoji. This also holds for empty tables.
func TestDefaultsRoundedByCatalogAreExact(t *testing.T) {
	const create = `CREATE TABLE mdl_a (id int PRIMARY KEY, n float NOT NULL, a float DEFAULT 1.1234567, b float NOT NULL DEFAULT 16777215, c float DEFAULT 3.4028234663852886e38, d float DEFAULT 0,
		e float DEFAULT 1e-45, f float NOT NULL DEFAULT '7.038530691851209e-26', g float(10,3) DEFAULT 1.2346, h float(10,3) NOT NULL DEFAULT 9999999.999, i float(7,2) unsigned DEFAULT 0.1, j float(10,3) DEFAULT -9999999.999,
		k varchar(9) NOT NULL DEFAULT '😀?', l varchar(9) DEFAULT '?😀')`
	const look = `SELECT CONCAT_WS(' ', a*1e0, b*1e0, c*1e0, d*1e0, e*1e0, f*1e0, g*1e0, h*1e0, i*1e0, j*1e0, k, l) FROM mdl_a WHERE id = 1`
	const want = "1.1234567165374756 16777215 3.4028234663852886e38 0 1.401298464324817e-45 7.038530691851209e-26 1.2350000143051147 10000000 0.10000000149011612 -10000000 😀? ?😀"
	for _, from := range engines {
		for _, to := range engines {
			for rows, insert := range []string{"DO 0", "INSERT INTO mdl_a (id, n) VALUES (0, 1)"} {
				t.Run(fmt.Sprintf("%s to %s, %d rows", from.name, to.name, rows), func(t *testing.T) {
					t.Parallel()
					a, b := from.make(t), to.make(t)
					exec(t, a, create, insert)
					c := carry(t, a, Config{DSN: config.NewSecret(b.DSN), Prefix: "mdl_"})
					for _, db := range []servers.Database{a, b} {
						exec(t, db, "INSERT INTO mdl_a (id, n) VALUES (1, 1)")
						if got := one(t, db, look); got != want {
							t.Errorf("the defaults are\n%s, want\n%s", got, want)
						}
					}
					if got, want := asJSON(t, c.proved[0].Schema), asJSON(t, c.read[0].Schema); from.name == to.name && got != want {
						t.Errorf("proved schema\n%s\nwant\n%s", got, want)
					}
				})
			}
		}
	}
}

// MySQL stores the default of a blob as an expression, whose bytes need not be UTF-8.
func TestBlobDefaultsAreExact(t *testing.T) {
	const create = `CREATE TABLE mdl_a (id int PRIMARY KEY, a blob DEFAULT ('b'), b tinyblob NOT NULL DEFAULT (x'00FF27'), c mediumblob DEFAULT ('ü''\\\'x\0y😀'), d longblob DEFAULT (_binary'q'))`
	const binary = `, e blob DEFAULT (_binary 0xFF4127), f blob DEFAULT (_latin1 0xFF), g blob DEFAULT (_latin1'x'), h blob DEFAULT ('\0'))`
	const look = `SELECT CONCAT_WS('|', HEX(a), HEX(b), HEX(c), HEX(d)) FROM mdl_a`
	const want = "62|00FF27|C3BC275C27780079F09F9880|71"
	for _, from := range engines {
		for _, to := range engines {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				t.Parallel()
				create, look, want := create, look, want
				if from.name == "MySQL" { // MariaDB itself garbles these
					create = strings.TrimSuffix(create, ")") + binary
					look = strings.Replace(look, "HEX(d)", "HEX(d), HEX(e), HEX(f), HEX(g), HEX(h)", 1)
					want += "|FF4127|FF|78|00"
				}
				a, b := from.make(t), to.make(t)
				exec(t, a, create)
				c := carry(t, a, Config{DSN: config.NewSecret(b.DSN), Prefix: "mdl_"})
				for _, db := range []servers.Database{a, b} {
					exec(t, db, "INSERT INTO mdl_a (id) VALUES (1)")
					if got := one(t, db, look); got != want {
						t.Errorf("the defaults are %s, want %s", got, want)
					}
				}
				if got, want := asJSON(t, c.proved[0].Schema), asJSON(t, c.read[0].Schema); from.name == to.name && got != want {
					t.Errorf("proved schema\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}
