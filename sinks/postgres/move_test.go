package postgres_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/servers"
	sink "github.com/lmsvault/vault/sinks/postgres"
	source "github.com/lmsvault/vault/sources/postgres"
)

// A site can move to another prefix in another schema of the same database; indexes,
// sequences and types are renamed accordingly and keep their meaning.
func TestSiteMovesToAnotherPrefixAndSchema(t *testing.T) {
	db := servers.Postgres(t)
	execute(t, db.SQL, `CREATE SCHEMA "Old"; CREATE SCHEMA "new site";
		CREATE TYPE "Old".mdl_mood AS ENUM ('a', 'b');
		CREATE TABLE "Old".mdl_forum (id bigserial PRIMARY KEY, name varchar(20) NOT NULL DEFAULT '', "Body" text, mood "Old".mdl_mood DEFAULT 'b', kept "Old".mdl_mood DEFAULT lower('A')::"Old".mdl_mood);
		CREATE INDEX mdl_foru_nam_ix ON "Old".mdl_forum (name);
		CREATE INDEX mdl_foru_nam_ix_pattern ON "Old".mdl_forum (name varchar_pattern_ops DESC) WITH (fillfactor = 70);
		CREATE INDEX mdl_forum_words ON "Old".mdl_forum USING gin (to_tsvector('simple', "Body")) WITH (fastupdate = off);
		CREATE INDEX by_hand ON "Old".mdl_forum (name, "Body" text_pattern_ops);
		CREATE INDEX mdl_foru_low_ix ON "Old".mdl_forum (lower(name)) WHERE name <> '';
		INSERT INTO "Old".mdl_forum (name, mood) VALUES ('x', 'a'), ('y', NULL)`)
	from, to := where(db.DSN), where(db.DSN)
	from.Schema, to.Schema, to.Prefix = "Old", "new site", "m2_"
	c := carry(t, newSource(t, source.Config{Connection: from}), newSink(t, sink.Config{Connection: to}))
	if got := column(t, db.SQL, `SELECT concat_ws(' ', id, name, mood) FROM "new site".m2_forum ORDER BY id`); !slices.Equal(got, []string{"1 x a", "2 y"}) {
		t.Errorf("rows %q", got)
	}
	got := column(t, db.SQL, `SELECT relname FROM pg_class WHERE relnamespace = '"new site"'::regnamespace UNION SELECT typname FROM pg_type WHERE typnamespace = '"new site"'::regnamespace AND typtype = 'e' ORDER BY 1`)
	if want := []string{"by_hand", "m2_foru_low_ix", "m2_foru_nam_ix", "m2_foru_nam_ix_pattern", "m2_forum", "m2_forum_id_seq", "m2_forum_pkey", "m2_forum_words", "m2_mood"}; !slices.Equal(got, want) {
		t.Errorf("there are %q", got)
	}
	indexes := func(schema, prefix string) []string {
		return column(t, db.SQL, `SELECT replace(split_part(indexdef, ' USING ', 2), $2, '') FROM pg_indexes WHERE schemaname = $1 ORDER BY replace(indexname, $2, '')`, schema, prefix)
	}
	if before, after := indexes("Old", "mdl_"), indexes("new site", "m2_"); len(before) != 6 || !slices.Equal(before, after) {
		t.Errorf("indexes\n%q became\n%q", before, after)
	}
	if got := column(t, db.SQL, `INSERT INTO "new site".m2_forum (name) VALUES ('z') RETURNING kept::text || ' ' || pg_typeof(kept)`); !slices.Equal(got, []string{`a "new site".m2_mood`}) {
		t.Errorf("a new row gets %q", got)
	}
	proven := c.proofs["forum"].Schema
	if d := proven.Column("kept").Default; d == nil || d.Value != "(lower('A'::text))::mdl_mood" {
		t.Errorf("the proof has the default %+v", d)
	}
	if native := c.proofs["forum"].Schema.Indexes; len(native) != 5 {
		t.Errorf("indexes %+v", native)
	}
	for _, x := range c.proofs["forum"].Schema.Indexes {
		if (x.Native != "") != (x.Name == "m2_foru_low_ix") {
			t.Errorf("index %+v has its definition as text", x)
		}
	}
}

// Every missing privilege is reported before anything is changed.
func TestMissingPrivilegesAreRefused(t *testing.T) {
	db := servers.Postgres(t)
	name := "vt_" + strings.ToLower(rand.Text())
	execute(t, db.SQL, "CREATE ROLE "+name+" LOGIN PASSWORD 'sesame'; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	t.Cleanup(func() {
		if _, err := db.SQL.ExecContext(context.Background(), "DROP OWNED BY "+name+"; DROP ROLE "+name); err != nil {
			t.Errorf("dropping a role: %v", err)
		}
	})
	u, err := url.Parse(db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(name, "sesame")
	p := plan(table("user"))
	refused := func(replace stage.Replace, want string) {
		t.Helper()
		p.Replace = replace
		_, err := newSink(t, sink.Config{Connection: where(u.String())}).Check(t.Context(), p)
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	refused(stage.ReplaceNothing, "may not create tables in schema public")
	execute(t, db.SQL, "GRANT CREATE ON SCHEMA public TO "+name+"; CREATE TABLE mdl_user (id int)")
	refused(stage.ReplaceSwap, "other users own")
	execute(t, db.SQL, "DROP TABLE mdl_user; ALTER ROLE "+name+" SET default_transaction_read_only = on")
	refused(stage.ReplaceNothing, "the server is read-only")
	execute(t, db.SQL, "ALTER ROLE "+name+" SET default_transaction_read_only = off")
	restore(t, newSink(t, sink.Config{Connection: where(u.String())}), p, "user", "1\n")
}
