package moodle

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/schema"
)

// Tables reads facts of a site from its tables, on any engine. It skips tables that are
// not Moodle's.
type Tables struct {
	// Table returns a table by its name without prefix, and its quoted name for SQL.
	Table func(name string) (t schema.Table, quoted string, ok bool)
	// Query runs a query, which is the same SQL for every engine, and returns its rows as
	// text, "" for NULL.
	Query func(ctx context.Context, query string) ([][]string, error)
	// Where returns an SQL condition for the rows of a table that are read, or "" for all
	// rows; nil for all rows of all tables.
	Where func(name string) string
}

// siteQuery locates a fact: in column of the rows whose key is value.
type siteQuery struct {
	table, column, key, value string
	number                    bool // the key is a number
}

var (
	siteID      = siteQuery{table: "config", column: "value", key: "name", value: "'siteidentifier'"}
	siteName    = siteQuery{table: "course", column: "fullname", key: "category", value: "0", number: true}
	siteVersion = siteQuery{table: "config", column: "value", key: "name", value: "'version'"}
	siteRelease = siteQuery{table: "config", column: "value", key: "name", value: "'release'"}
	// pluginVersions also returns the column plugin.
	pluginVersions = siteQuery{table: "config_plugins", column: "value", key: "name", value: "'version'"}
)

// SiteTables returns the tables, without prefix, that Tables queries.
func SiteTables() []string { return []string{siteID.table, siteName.table, pluginVersions.table} }

// fits reports whether a table has the columns of Moodle's table.
func (q siteQuery) fits(t schema.Table) bool {
	key := textual(t, q.key)
	if q.number {
		key = numeric(t, q.key)
	}
	return key && numeric(t, "id") && textual(t, q.column)
}

func textual(t schema.Table, column string) bool {
	c := t.Column(column)
	return c != nil && (c.Type.Kind == schema.Char || c.Type.Kind == schema.Text)
}

func numeric(t schema.Table, column string) bool {
	c := t.Column(column)
	return c != nil && c.Type.Kind == schema.Int
}

// The most that is read of a site's facts.
const (
	maxSiteText = 255    // characters of a text
	maxPlugins  = 10_000 // a large site has about 600
)

// Site reads which site the tables belong to.
func (r Tables) Site(ctx context.Context) (Site, error) {
	var s Site
	var err error
	if s.ID, err = r.first(ctx, siteID); err != nil || s.ID == "" {
		return Site{}, err
	}
	s.Name, err = r.first(ctx, siteName)
	return s, err
}

// Facts adds which site the tables belong to, and the versions that are installed, to the
// facts of a source.
func (r Tables) Facts(ctx context.Context, facts map[string]string) error {
	site, err := r.Site(ctx)
	if err != nil {
		return err
	}
	site.Facts(facts)
	for name, q := range map[string]siteQuery{VersionFact: siteVersion, ReleaseFact: siteRelease} {
		text, err := r.first(ctx, q)
		if err != nil {
			return err
		}
		if text != "" {
			facts[name] = text
		}
	}
	plugins, err := r.plugins(ctx)
	if err != nil || len(plugins) == 0 {
		return err
	}
	text, err := json.Marshal(plugins)
	facts[PluginsFact] = string(text)
	return err
}

// first returns the text of the first row, "" if there is none.
func (r Tables) first(ctx context.Context, q siteQuery) (string, error) {
	t, quoted, ok := r.Table(q.table)
	if !ok || !q.fits(t) {
		return "", nil
	}
	rows, err := r.Query(ctx, fmt.Sprintf("SELECT substr(%s, 1, %d) FROM %s WHERE %s = %s ORDER BY id LIMIT 1", q.column, maxSiteText, quoted, q.key, q.value))
	if err != nil {
		return "", fmt.Errorf("identifying the site from table %s: %w", q.table, err)
	}
	if len(rows) == 0 {
		return "", nil
	}
	return valid(rows[0][0]), nil
}

// plugins returns the versions of the installed plugins.
func (r Tables) plugins(ctx context.Context) (map[string]string, error) {
	q := pluginVersions
	t, quoted, ok := r.Table(q.table)
	if !ok || !q.fits(t) || !textual(t, "plugin") {
		return nil, nil
	}
	where := ""
	if r.Where != nil {
		if where = r.Where(q.table); where != "" {
			where = " AND (" + where + ")"
		}
	}
	rows, err := r.Query(ctx, fmt.Sprintf("SELECT substr(plugin, 1, %d), substr(%s, 1, %[1]d) FROM %[3]s WHERE %[4]s = %[5]s%[6]s ORDER BY id LIMIT %[7]d",
		maxSiteText, q.column, quoted, q.key, q.value, where, maxPlugins))
	if err != nil {
		return nil, fmt.Errorf("reading the versions of plugins from table %s: %w", q.table, err)
	}
	plugins := make(map[string]string, len(rows))
	for _, row := range rows {
		plugins[valid(row[0])] = valid(row[1])
	}
	return plugins, nil
}

// valid replaces bytes that are not UTF-8, which an old table may hold.
func valid(text string) string {
	if !utf8.ValidString(text) {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	return text
}
