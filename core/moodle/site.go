package moodle

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
)

// The facts by which a source of tables tells which site it reads.
const (
	SiteFact     = "site"      // config.siteidentifier
	SiteNameFact = "site_name" // the full name of the site's own course
)

// Site is which site tables are of. Its ID is "" where that can't be told, as of
// tables that are not Moodle's.
type Site struct{ ID, Name string }

// SiteOf returns what the facts of a source or a snapshot say.
func SiteOf(facts map[string]string) Site {
	return Site{ID: facts[SiteFact], Name: facts[SiteNameFact]}
}

// Facts adds what is known of the site to the facts of a source.
func (s Site) Facts(facts map[string]string) {
	if s.ID != "" {
		facts[SiteFact] = s.ID
	}
	if s.Name != "" {
		facts[SiteNameFact] = s.Name
	}
}

// String names the site for people: by its name and its identifier.
func (s Site) String() string {
	switch {
	case s.ID == "":
		return "a site without an identifier"
	case s.Name == "":
		return s.ID
	}
	return fmt.Sprintf("%q (%s)", s.Name, s.ID)
}

// siteQuery is where a fact stands: in Column of the first row whose Key is Value.
type siteQuery struct {
	table, column, key, value string
	number                    bool // the key is one
}

var (
	siteID   = siteQuery{table: "config", column: "value", key: "name", value: "'siteidentifier'"}
	siteName = siteQuery{table: "course", column: "fullname", key: "category", value: "0", number: true}
)

// SiteTables are the tables, without prefix, that FindSite asks.
func SiteTables() []string { return []string{siteID.table, siteName.table} }

// fits tells whether a table has the columns that Moodle gives it.
func (q siteQuery) fits(t schema.Table) bool {
	is := func(name string, kinds ...schema.Kind) bool {
		c := t.Column(name)
		if c == nil {
			return false
		}
		for _, k := range kinds {
			if c.Type.Kind == k {
				return true
			}
		}
		return false
	}
	key := is(q.key, schema.Char, schema.Text)
	if q.number {
		key = is(q.key, schema.Int)
	}
	return key && is("id", schema.Int) && is(q.column, schema.Char, schema.Text)
}

const maxSiteText = 255 // characters of an identifier or a name

// FindSite reads which site tables are of. table returns one by its name without
// prefix, and as SQL names it; first runs a query, which is the same SQL for
// every engine, and returns its only cell, "" for none. Tables that are not
// Moodle's are not asked.
func FindSite(ctx context.Context, table func(name string) (t schema.Table, quoted string, ok bool), first func(ctx context.Context, query string) (string, error)) (Site, error) {
	read := func(q siteQuery) (string, error) {
		t, quoted, ok := table(q.table)
		if !ok || !q.fits(t) {
			return "", nil
		}
		text, err := first(ctx, fmt.Sprintf("SELECT substr(%s, 1, %d) FROM %s WHERE %s = %s ORDER BY id LIMIT 1", q.column, maxSiteText, quoted, q.key, q.value))
		if err != nil {
			return "", fmt.Errorf("reading which site it is from table %s: %w", q.table, err)
		}
		if !utf8.ValidString(text) {
			text = strings.ToValidUTF8(text, "\uFFFD")
		}
		return text, nil
	}
	var s Site
	var err error
	if s.ID, err = read(siteID); err != nil || s.ID == "" {
		return Site{}, err
	}
	s.Name, err = read(siteName)
	return s, err
}

// Replacing is embedded by the settings of sinks of tables.
type Replacing struct {
	OtherSite bool `key:"replace_other_site" help:"with replace: replace the site that is there even if it is another site than the one that comes, or if that can't be told"`
}

// Check refuses to replace a site by another one, unless that is wanted.
func (r Replacing) Check(there Site, facts map[string]string) error {
	comes := SiteOf(facts)
	if r.OtherSite || there.ID == "" || there.ID == comes.ID {
		return nil
	}
	return failure.New(failure.Refused, "the target holds another site: %s is there, and %s would replace it; check the target, or set replace_other_site: true", there, comes)
}
