package mask_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	_ "modernc.org/sqlite" // the driver sqlite

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/lab"
	"github.com/lmsvault/vault/internal/servers"
)

// texts returns the only column of a query.
func texts(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A real site is masked on its way to another engine: nothing of the originals is left in
// the masked columns, usernames stay unique, and joins find as many rows as before.
func TestRealSiteIsMasked(t *testing.T) {
	dir := lab.Unpack(t, "pg")
	original := servers.Postgres(t)
	lab.Load(t, filepath.Join(dir, "site.sql"), original, "postgres")
	to := filepath.Join(t.TempDir(), "masked.sqlite")
	reg, err := builtin.Stages()
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`version: 1
source: [{use: postgres, with: {dsn: "${env:DSN}", prefix: mdl_}}]
select: {exclude_tables: [zzz_*]}
transform: [{use: mask, with: {key: "a key of the tests"}}]
sink: [{use: sqlite, with: {path: %q}}]
accept_loss: {view: 10, index: 100, column: 10, default: 100}
`, to)
	p, found := pipeline.Parse("mask.yaml", []byte(text), pipeline.Options{Registry: reg, Values: config.Values{Env: func(string) (string, bool) { return original.DSN, true }}})
	if p == nil {
		t.Fatal(found)
	}
	job, err := engine.Build(t.Context(), p, reg, stage.Env{Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir(), Workers: 2}, progress.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := job.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := job.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	masked, err := sql.Open("sqlite", to)
	if err != nil {
		t.Fatal(err)
	}
	defer masked.Close()

	const others = " AND username NOT IN ('guest', 'admin')"
	for _, column := range []string{"username", "idnumber", "firstname", "lastname", "middlename", "alternatename", "firstnamephonetic", "lastnamephonetic", "email", "phone1", "phone2", "institution", "department", "address", "city", "description"} {
		query := "SELECT " + column + " FROM mdl_user WHERE trim(" + column + ") <> ''" + others
		was, left := texts(t, original.SQL, query), map[string]bool{}
		for _, value := range texts(t, masked, query) {
			left[value] = true
		}
		for _, value := range was {
			mayRecur := strings.Contains(column, "name") && column != "username" // the mask of another name
			if left[value] && !mayRecur && strings.IndexFunc(value, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) >= 0 {
				t.Errorf("%s: %q is left", column, value)
			}
		}
	}
	same := func(query string) {
		t.Helper()
		if was, is := texts(t, original.SQL, query), texts(t, masked, query); strings.Join(was, " ") != strings.Join(is, " ") {
			t.Errorf("%s: %v before, %v after", query, was, is)
		}
	}
	same("SELECT count(*) FROM mdl_user")
	same("SELECT count(*) FROM mdl_user WHERE trim(firstname) <> '' AND trim(email) <> ''")
	same("SELECT count(DISTINCT username) FROM mdl_user")
	same("SELECT count(DISTINCT ip) FROM mdl_logstore_standard_log")
	same("SELECT count(*) FROM mdl_logstore_standard_log l JOIN mdl_user u ON u.id = l.userid AND u.lastip = l.ip WHERE u.username NOT IN ('guest', 'admin')")
	same("SELECT count(*) FROM mdl_user_lastaccess l JOIN mdl_user u ON u.id = l.userid")
	same("SELECT lang FROM mdl_user ORDER BY id")
	same("SELECT auth FROM mdl_user ORDER BY id")
	same("SELECT password FROM mdl_user WHERE username IN ('guest', 'admin') ORDER BY id")
	for query, want := range map[string]string{
		"SELECT count(*) FROM mdl_user WHERE password NOT IN ('not cached', '')" + others:                                          "0",
		"SELECT count(*) FROM mdl_user WHERE email NOT LIKE '%@example.invalid'" + others:                                          "0",
		"SELECT count(*) FROM mdl_logstore_standard_log WHERE ip NOT LIKE '2001:db8:%' AND ip NOT IN ('', '127.0.0.1', '0.0.0.0')": "0",
		"SELECT count(*) FROM mdl_files WHERE component = 'user' AND filearea = 'icon'":                                            "0",
		"SELECT count(*) FROM mdl_sessions": "0",
	} {
		if got := texts(t, masked, query)[0]; got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	noted := false
	for _, n := range result.Notes {
		noted = noted || n.Path == "db/user" && strings.HasPrefix(n.Text, "masked: username, password")
	}
	if !noted || len(result.Tables) < 500 {
		t.Errorf("%d tables; no note says what of table user is masked", len(result.Tables))
	}
}
