package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
	"github.com/lmsvault/vault/dialects/sqlite"
)

var engines = check.Check{
	ID: "restore-engine", Title: "Database engine", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelWarning},
	Doc: `A backup can be restored into every engine. Another engine than the backup's is a note; SQLite is a warning, because
Moodle cannot use it.`,
}

func checkEngine(_ context.Context, s *subject) ([]stage.ActionFinding, error) {
	address, err := s.config.Address()
	if err != nil {
		return nil, err
	}
	product := address.Engine
	if s.there != nil {
		product = s.there.Product()
	}
	was := s.plan.Facts["engine"]
	switch dialect := s.plan.Facts["dialect"]; {
	case address.Engine == sqlite.Dialect:
		return []stage.ActionFinding{engines.Finding(stage.LevelWarning, "the target is an SQLite database, which Moodle cannot use")}, nil
	case dialect != "" && dialect != address.Engine:
		return []stage.ActionFinding{engines.Finding(stage.LevelNote, "the site moves from %s to %s", was, product)}, nil
	}
	return []stage.ActionFinding{engines.Finding(stage.LevelOK, "backup: %s, target: %s", was, product)}, nil
}

var collation = check.Check{
	ID: "restore-collation", Title: "Collation", Levels: []stage.Level{stage.LevelOK, stage.LevelWarning},
	Doc: `PostgreSQL, SQLite and the binary collations of MySQL distinguish texts that differ only in case or accents; most
collations of MySQL and MariaDB do not. Rows whose unique keys are equal under the target's collation collide: the
second one is refused while the rows are loaded, and is reported with its table and key. The check lists the
unique keys of texts that this can happen to. Which rows collide is known only when they are loaded.`,
	Remedy: "set `collation: utf8mb4_bin`, or change the rows in the site; `vault run --dry-run` loads nothing.",
}

func checkCollation(ctx context.Context, s *subject) ([]stage.ActionFinding, error) {
	if s.there == nil || s.there.Dialect() != mysql.Dialect {
		return nil, nil
	}
	rules, err := s.rules(ctx)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, t := range s.plan.Tables {
		for _, columns := range textKeys(&t.Schema, rules) {
			keys = append(keys, fmt.Sprintf("%s (%s)", t.Schema.Name, columns))
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	slices.Sort(keys)
	f := collation.Finding(stage.LevelWarning, "the collation %s may treat texts as equal that differ in the backup, in %s", rules, count(len(keys), "unique key"))
	f.Remedy = "rows that collide are refused while they are loaded and reported with their keys, and the restore then fails; to keep them, set collation: utf8mb4_bin"
	f.Details = strings.Join(keys, "\n")
	return []stage.ActionFinding{f}, nil
}

// rules returns the collation of tables from another engine.
func (s *subject) rules(ctx context.Context) (string, error) {
	if s.Collation != "" {
		return s.Collation, nil
	}
	found, err := s.there.First(ctx, "SELECT @@collation_database")
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(found.String, "utf8mb4_") {
		return "utf8mb4_unicode_ci", nil // what the sink takes then
	}
	return found.String, nil
}

// textKeys returns the columns of the unique keys that compare texts more strictly in a
// table than under a collation of MySQL.
func textKeys(t *schema.Table, rules string) []string {
	var keys []string
	for _, x := range append([]schema.Index{primary(t)}, t.Indexes...) {
		if !x.Unique || x.EngineOwn() {
			continue
		}
		var columns []string
		looser := false
		for _, c := range x.Columns {
			columns = append(columns, c.Name)
			looser = looser || compares(t, t.Column(c.Name), rules)
		}
		if looser {
			keys = append(keys, strings.Join(columns, ", "))
		}
	}
	return keys
}

func primary(t *schema.Table) schema.Index {
	x := schema.Index{Unique: true}
	for _, name := range t.PrimaryKey {
		x.Columns = append(x.Columns, schema.IndexColumn{Name: name})
	}
	return x
}

// compares reports whether a column loses the distinction of case or accents.
func compares(t *schema.Table, c *schema.Column, rules string) bool {
	if c == nil || c.Type.Kind != schema.Char && c.Type.Kind != schema.Text {
		return false
	}
	if t.Dialect == mysql.Dialect {
		return false // the table keeps its collation, or gets the most similar one
	}
	return !strings.HasSuffix(rules, "_bin")
}
