package preserve_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/lab"
	"github.com/lmsvault/vault/internal/servers"
)

// An activity, a block and an add-on of a real site on PostgreSQL stay when one from
// MariaDB replaces it: their tables and their rows in shared tables, and no others.
func TestPluginsOfARealSiteStay(t *testing.T) {
	backup, target := servers.MariaDB(t), servers.Postgres(t)
	lab.Load(t, filepath.Join(lab.Unpack(t, "my"), "site.sql"), backup, "mysql")
	lab.Load(t, filepath.Join(lab.Unpack(t, "pg"), "site.sql"), target, "postgres")
	for db, side := range map[*sql.DB]string{backup.SQL: "backup", target.SQL: "target"} {
		for _, plugin := range []string{"quiz", "block_html", "attendance", "mod_attendance", "forum"} {
			if _, err := db.ExecContext(t.Context(), "INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('"+plugin+"', 'zzz_side', '"+side+"')"); err != nil {
				t.Fatal(err)
			}
		}
		for _, statement := range []string{
			"UPDATE mdl_task_scheduled SET minute = '" + map[string]string{"backup": "1", "target": "2"}[side] + "'",
			"UPDATE mdl_capabilities SET riskbitmask = " + map[string]string{"backup": "1001", "target": "1002"}[side],
		} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	queries := map[string]string{
		"own tables":   "SELECT concat(id, ' ', course, ' ', name) FROM mdl_attendance ORDER BY 1",
		"settings":     "SELECT concat(plugin, ' ', name, ' ', value) FROM mdl_config_plugins WHERE plugin %s ('quiz', 'mod_quiz', 'block_html', 'attendance', 'mod_attendance') AND plugin <> 'tool_vault' AND plugin <> 'message'",
		"tasks":        "SELECT concat(classname, ' ', minute) FROM mdl_task_scheduled WHERE component %s ('mod_quiz', 'block_html', 'mod_attendance')",
		"capabilities": "SELECT concat(name, ' ', riskbitmask) FROM mdl_capabilities WHERE component %s ('mod_quiz', 'block_html', 'mod_attendance')",
		"functions":    "SELECT concat(name, ' ', classname) FROM mdl_external_functions WHERE component %s ('mod_quiz', 'block_html', 'mod_attendance')",
		"providers":    "SELECT concat(component, ' ', name) FROM mdl_message_providers WHERE component %s ('mod_quiz', 'block_html', 'mod_attendance')",
	}
	kept, others := map[string][]string{}, map[string][]string{}
	for name, query := range queries {
		if strings.Contains(query, "%s") {
			kept[name] = list(t, target.SQL, fmt.Sprintf(query, "IN"))
			others[name] = list(t, backup.SQL, fmt.Sprintf(query, "NOT IN"))
		} else {
			kept[name] = list(t, target.SQL, query)
		}
	}
	reg, err := builtin.Stages()
	if err != nil {
		t.Fatal(err)
	}
	text := `version: 1
source: [{use: mysql, with: {dsn: "${env:BACKUP}"}}]
select: {exclude_tables: [zzz_*, tool_vault_*, attendance, attendance_*]}
transform: [{use: preserve, with: {engine: postgres, dsn: "${env:TARGET}", plugins: [mod_quiz, block_html, mod_attendance]}}]
sink: [{use: postgres, with: {dsn: "${env:TARGET}", replace: true, replace_other_site: true, preserve: [attendance, attendance_*]}}]
accept_loss: {view: 1}
`
	p, found := pipeline.Parse("restore.yaml", []byte(text), pipeline.Options{Registry: reg, Values: config.Values{Env: func(name string) (string, bool) {
		return map[string]string{"BACKUP": backup.DSN, "TARGET": target.DSN}[name], true
	}}})
	if p == nil {
		t.Fatal(found)
	}
	job, err := engine.Build(t.Context(), p, reg, stage.Env{Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir(), Workers: 2}, progress.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := job.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := job.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, query := range queries {
		in := query
		if strings.Contains(query, "%s") {
			in = fmt.Sprintf(query, "IN")
			if got := list(t, target.SQL, fmt.Sprintf(query, "NOT IN")); !slices.Equal(got, others[name]) {
				t.Errorf("%s of others: %d rows, want the %d of the backup", name, len(got), len(others[name]))
			}
		}
		if got := list(t, target.SQL, in); !slices.Equal(got, kept[name]) || len(got) == 0 {
			t.Errorf("%s: %d rows, want the %d of the target", name, len(got), len(kept[name]))
		}
	}
	if got := list(t, target.SQL, "SELECT value FROM mdl_config WHERE name = 'siteidentifier'"); !slices.Equal(got, list(t, backup.SQL, "SELECT value FROM mdl_config WHERE name = 'siteidentifier'")) {
		t.Errorf("the site is %q", got)
	}
}

// list returns the only column of a query, sorted here, as the engines sort differently.
func list(t *testing.T, db *sql.DB, query string) (all []string) {
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
	slices.Sort(all)
	return all
}
