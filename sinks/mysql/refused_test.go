package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
	"github.com/lmsvault/vault/internal/servers"
)

// users is a table as a type map converts it from PostgreSQL.
func users() *stage.Plan {
	return &stage.Plan{Workers: 2, Facts: map[string]string{"dialect": "postgres", "prefix": "m_"}, Tables: []stage.TableInfo{{Schema: schema.Table{
		Name: "user_info", Dialect: mysql.Dialect, PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 50},
		Columns: []schema.Column{
			{Name: "id", Native: "bigint(10)", Type: schema.Type{Kind: schema.Int, Size: 8}},
			{Name: "username", Native: "varchar(10)", Type: schema.Type{Kind: schema.Char, Length: 10}},
			{Name: "rank", Native: "smallint(4)", Nullable: true, Type: schema.Type{Kind: schema.Int, Size: 2}},
			{Name: "kind", Native: "enum('a','b')", Nullable: true, Type: schema.Type{Kind: schema.Enum, Values: []string{"a", "b"}}},
			{Name: "data", Native: "longblob", Nullable: true, Type: schema.Type{Kind: schema.Binary}},
		},
		Indexes: []schema.Index{
			{Name: "m_userinfo_use_uix", Unique: true, Columns: []schema.IndexColumn{{Name: "username"}}},
			{Name: "whatever", Columns: []schema.IndexColumn{{Name: "rank"}}},
			{Name: "whatever2", Columns: []schema.IndexColumn{{Name: "rank"}, {Name: "id"}}},
			{Name: "whatever3", Columns: []schema.IndexColumn{{Name: "rank"}}},
		},
	}}}}
}

// swapping is users, replacing the existing site.
func swapping() *stage.Plan {
	p := users()
	p.Replace = stage.ReplaceSwap
	return p
}

// inPlace is users, loaded after the existing site was dropped.
func inPlace() *stage.Plan {
	p := users()
	p.Replace = stage.ReplaceInPlace
	return p
}

func feed(lines ...string) func(string, func([]byte, int) error) rows.Sum {
	return func(_ string, emit func([]byte, int) error) rows.Sum {
		var sum rows.Sum
		b := rows.NewBuilder(func(_ context.Context, data []byte, n int) error {
			return errors.Join(sum.AddChunk(data), emit(data, n))
		})
		for _, line := range lines {
			b.Buf = append(b.Buf, line...)
			if err := b.End(context.Background(), []byte(line)); err != nil {
				panic(err)
			}
		}
		if err := b.Flush(context.Background()); err != nil {
			panic(err)
		}
		return sum
	}
}

// Rows that the server rejects are listed with their reasons; all others are loaded.
func TestRejectedRowsAreListed(t *testing.T) {
	for _, engine := range engines {
		for _, load := range []string{loadLocal, loadInsert} {
			t.Run(engine.name+" "+load, func(t *testing.T) {
				t.Parallel()
				db := engine.make(t)
				var lines []string
				for id := range 500 {
					lines = append(lines, fmt.Sprintf("%d\tuser%d\t%d\ta\t\\\\x00ff", id+100, id, id))
				}
				lines[7] = `7	USER8	1	a	\N`          // equal to user8 under the collation
				lines[70] = `70	user70	40000	a	\N`   // out of range
				lines[77] = `77	far too long	1	a	\N` // too long
				lines[78] = `78	user78	1	c	\N`       // not in the enum
				lines[79] = `79	user79	1		\N`        // the enum's error value, which sites have
				lines[80] = "80\tbad\xff\t1\ta\t\\N"
				c := write(t, users(), Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_", Load: load}, feed(lines...))
				var where []string
				for _, l := range c.refused {
					if l.Kind != stage.LossRow || l.Path != "db/user_info" || l.Count != 1 || !strings.Contains(l.Reason, "Error ") {
						t.Errorf("loss %s", asJSON(t, l))
					}
					where = append(where, l.Where)
				}
				want := []string{"id=108", "id=70 column rank", "id=77 column username", "id=78 column kind", "id=80 column username"}
				if slices.Sort(where); !slices.Equal(where, want) {
					t.Errorf("rejected %q, want %q", where, want)
				}
				if n := one(t, db, "SELECT COUNT(*) FROM mdl_user_info WHERE id > 0"); n != "495" {
					t.Errorf("%s rows, want 495", n)
				}
				if v := one(t, db, "SELECT CONCAT(kind = '', '|', username) FROM mdl_user_info WHERE id = 79"); v != "1|user79" {
					t.Errorf("the enum's empty value became %q", v)
				}
				if next := one(t, db, "SELECT MAX(id) + 1 FROM mdl_user_info"); next != fmt.Sprint(c.proved[0].Schema.Sequence.Next) {
					t.Errorf("next id %d, want %s", c.proved[0].Schema.Sequence.Next, next)
				}
				create := one(t, db, "SHOW CREATE TABLE mdl_user_info")
				for _, index := range []string{"UNIQUE KEY `mdl_userinfo_use_uix` (`username`)", "KEY `mdl_userinfo_ran_ix` (`rank`)", "KEY `mdl_userinfo_ranid_ix` (`rank`,`id`)", "KEY `mdl_userinfo_ran2_ix` (`rank`)"} {
					if !strings.Contains(create, index) {
						t.Errorf("no %s in\n%s", index, create)
					}
				}
			})
		}
	}
}

// A row longer than a statement may be is rejected before it is sent; LOAD DATA can
// load it.
func TestRowLargerThanMaxAllowedPacket(t *testing.T) {
	db := servers.MariaDB(t)
	limit := connect(t, db).MaxPacket
	large := feed(`1	a	1	a	\N`, `2	b	1	a	\\x`+strings.Repeat("00", limit))
	c := write(t, users(), Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}, large)
	if n := one(t, db, "SELECT LENGTH(data) FROM mdl_user_info WHERE id = 2"); len(c.refused) != 0 || n != strconv.Itoa(limit) {
		t.Errorf("LOAD DATA: %s bytes, refused %d rows", n, len(c.refused))
	}
	c = write(t, swapping(), Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_", Load: loadInsert}, large)
	if len(c.refused) != 1 || c.refused[0].Where != "id=2" || !strings.Contains(c.refused[0].Reason, "max_allowed_packet") {
		t.Fatalf("refused %.300s", asJSON(t, c.refused))
	}
}

// What cannot be written is refused before anything is written.
func TestCheckRefuses(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdlx_a (id int)", "CREATE TABLE other (id int)")
			for _, c := range []struct {
				name, want string
				change     func(*schema.Table)
			}{
				{"the tables of another dialect", "typemap", func(x *schema.Table) { x.Dialect = "postgres" }},
				{"a column without a type", "column rank", func(x *schema.Table) { x.Columns[2].Native = "" }},
				{"a row that is too wide", "65535", func(x *schema.Table) {
					x.Columns[1].Type.Length, x.Columns[1].Native = 16383, "varchar(16383)"
					x.Columns = append(x.Columns, schema.Column{Name: "more", Native: "varchar(100)", Type: schema.Type{Kind: schema.Char, Length: 100}})
					x.Indexes = nil
				}},
				{"a key that is too long", "3072", func(x *schema.Table) {
					x.Columns[1].Type.Length, x.Columns[1].Native = 1333, "varchar(1333)"
					x.PrimaryKey = []string{"username"}
				}},
				{"a name that is too long", "64", func(x *schema.Table) { x.Name = strings.Repeat("a", 61) }},
			} {
				p := users()
				c.change(&p.Tables[0].Schema)
				_, err := open(t, Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}).Check(t.Context(), p)
				if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), p.Tables[0].Schema.Name) {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			p := users()
			p.Tables[0].Schema.Columns[1].Type.Length, p.Tables[0].Schema.Columns[1].Native = 1333, "varchar(1333)"
			found, err := open(t, Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}).Check(t.Context(), p)
			losses := found.Losses
			if err != nil || len(losses) != 1 || losses[0].Kind != stage.LossIndex || losses[0].Where != "index m_userinfo_use_uix" {
				t.Errorf("an index that is too long: %+v, %v", losses, err)
			}
			if names := siteTables(t, db, ""); !slices.Equal(names, []string{"mdlx_a", "other"}) {
				t.Errorf("Check left %q behind", names)
			}
		})
	}
}

// A target with tables is refused and replaced only on request, and other tables
// stay. An interrupted restore in place is recognised by its marker.
func TestReplaceAndMarker(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			db := engine.make(t)
			exec(t, db, "CREATE TABLE mdl_old (id int)", "CREATE VIEW mdl_view AS SELECT * FROM mdl_old", "CREATE TABLE mdlx (id int)", "CREATE TABLE mdl (id int)")
			cfg := Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_"}
			_, err := open(t, cfg).Check(t.Context(), users())
			if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "mdl_old") {
				t.Fatalf("a target with tables: %v", err)
			}
			if err := open(t, cfg).Begin(t.Context(), users()); failure.Of(err) != failure.Refused {
				t.Fatalf("Begin on a target with tables: %v", err)
			}
			sk := open(t, cfg)
			if _, err := sk.Check(t.Context(), inPlace()); err != nil {
				t.Fatal(err)
			}
			if err := sk.Begin(t.Context(), inPlace()); err != nil {
				t.Fatal(err)
			}
			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			if err := sk.Abort(cancelled); err != nil {
				t.Fatal(err)
			}
			if names := siteTables(t, db, ""); !slices.Equal(names, []string{"mdl", "mdl_user_info", "mdl_vault_restoring", "mdlx"}) {
				t.Fatalf("after a restore that was broken off: %q", names)
			}
			if _, err := open(t, cfg).Check(t.Context(), users()); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "unfinished restore") {
				t.Fatalf("a half restore: %v", err)
			}
			write(t, swapping(), cfg, feed(`1	a	1	a	\N`))
			if names := siteTables(t, db, ""); !slices.Equal(names, []string{"mdl", "mdl_user_info", "mdlx"}) {
				t.Fatalf("after the restore: %q", names)
			}
		})
	}
}

// MariaDB silently turns -0 into 0, so such a row is rejected there; MySQL keeps it.
func TestNegativeZero(t *testing.T) {
	for _, engine := range engines {
		for _, load := range []string{loadLocal, loadInsert} {
			t.Run(engine.name+" "+load, func(t *testing.T) {
				t.Parallel()
				db := engine.make(t)
				p := users()
				p.Tables[0].Schema.Columns[2] = schema.Column{Name: "rank", Native: "double", Nullable: true, Type: schema.Type{Kind: schema.Float, Size: 8}}
				c := write(t, p, Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_", Load: load}, feed(`1	a-0	-0	a	\N`, `2	-0	-0.5	a	\N`, `3	b	0	a	\N`))
				rows := one(t, db, "SELECT GROUP_CONCAT(id ORDER BY id) FROM mdl_user_info")
				switch {
				case engine.name == "MySQL" && (len(c.refused) != 0 || rows != "1,2,3"):
					t.Errorf("rows %s, refused %s", rows, asJSON(t, c.refused))
				case engine.name == "MariaDB" && (len(c.refused) != 1 || c.refused[0].Where != "id=1 column rank" || rows != "2,3"):
					t.Errorf("rows %s, refused %s", rows, asJSON(t, c.refused))
				}
			})
		}
	}
}
