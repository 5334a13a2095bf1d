package moodle

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
)

// Facts of a site. Sources of tables have the first ones, which they read from the tables;
// those of the code come from the source moodle.
const (
	SiteFact     = "site"            // config.siteidentifier
	SiteNameFact = "site_name"       // the full name of the site's own course
	VersionFact  = "moodle_version"  // config.version: 2024100706.00
	ReleaseFact  = "moodle_release"  // config.release: 4.5.6 (Build: 20250811)
	PluginsFact  = "moodle_plugins"  // JSON object of config_plugins.version by plugin
	AddressFact  = "wwwroot"         // $CFG->wwwroot
	DatarootFact = "moodle_dataroot" // $CFG->dataroot
	// AddonsFact is a JSON array of the installed plugins that Moodle's code doesn't contain.
	AddonsFact = "moodle_addons"
	// OverridesFact is the JSON of Overrides. The values may be passwords, so the name begins
	// with stage.SecretFacts.
	OverridesFact = "secret_config_overrides"
)

// Overrides are settings that config.php forces, with their values: of Moodle itself by
// name, and of plugins by plugin and name.
type Overrides struct {
	Core    map[string]string            `json:"core,omitempty"`
	Plugins map[string]map[string]string `json:"plugins,omitempty"`
}

// Site identifies a site. ID is "" if it is unknown, for example for tables that are
// not Moodle's.
type Site struct{ ID, Name string }

// SiteOf returns the site named in the facts of a source or a snapshot.
func SiteOf(facts map[string]string) Site {
	return Site{ID: facts[SiteFact], Name: facts[SiteNameFact]}
}

// Facts adds the site to the facts of a source.
func (s Site) Facts(facts map[string]string) {
	if s.ID != "" {
		facts[SiteFact] = s.ID
	}
	if s.Name != "" {
		facts[SiteNameFact] = s.Name
	}
}

// String returns the site's name and identifier, for messages.
func (s Site) String() string {
	switch {
	case s.ID == "":
		return "a site without an identifier"
	case s.Name == "":
		return s.ID
	}
	return fmt.Sprintf("%q (%s)", s.Name, s.ID)
}

// siteQuery locates a fact: in Column of the first row whose Key is Value.
type siteQuery struct {
	table, column, key, value string
	number                    bool // the key is a number
}

var (
	siteID   = siteQuery{table: "config", column: "value", key: "name", value: "'siteidentifier'"}
	siteName = siteQuery{table: "course", column: "fullname", key: "category", value: "0", number: true}
)

// SiteTables returns the tables, without prefix, that FindSite queries.
func SiteTables() []string { return []string{siteID.table, siteName.table} }

// fits reports whether a table has the columns of Moodle's table.
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

// FindSite reads which site the tables belong to. table returns a table by its name
// without prefix, and its quoted name for SQL. first runs a query, which is the same
// SQL for every engine, and returns its only cell, or "" for no row. FindSite skips
// tables that are not Moodle's.
func FindSite(ctx context.Context, table func(name string) (t schema.Table, quoted string, ok bool), first func(ctx context.Context, query string) (string, error)) (Site, error) {
	read := func(q siteQuery) (string, error) {
		t, quoted, ok := table(q.table)
		if !ok || !q.fits(t) {
			return "", nil
		}
		text, err := first(ctx, fmt.Sprintf("SELECT substr(%s, 1, %d) FROM %s WHERE %s = %s ORDER BY id LIMIT 1", q.column, maxSiteText, quoted, q.key, q.value))
		if err != nil {
			return "", fmt.Errorf("identifying the site from table %s: %w", q.table, err)
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

// Replacing is embedded in the settings of table sinks.
type Replacing struct {
	OtherSite bool `key:"replace_other_site" help:"with replace: replace the target even if it holds another site, or if that cannot be determined"`
}

// Check refuses to replace a site with another one unless OtherSite is set.
func (r Replacing) Check(there Site, facts map[string]string) error {
	comes := SiteOf(facts)
	if r.OtherSite || there.ID == "" || there.ID == comes.ID {
		return nil
	}
	return failure.New(failure.Refused, "the target holds another site, %s, which %s would replace; check the target, or set replace_other_site: true", there, comes)
}
