package restore

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/stage"
)

// page is a text of headings with aligned names and values below them.
type page struct {
	strings.Builder
	table *tabwriter.Writer
	err   error // of aligning the values
}

func (p *page) heading(text string) {
	p.end()
	fmt.Fprintf(p, "  %s\n", text)
	p.table = tabwriter.NewWriter(p, 0, 0, 2, ' ', 0)
}

// line adds a value; "" is left out.
func (p *page) line(name, value string) {
	if value != "" {
		fmt.Fprintf(p.table, "    %s\t%s\n", name, value)
	}
}

func (p *page) end() {
	if p.table != nil {
		p.err = errors.Join(p.err, p.table.Flush())
	}
}

// text returns the whole page.
func (p *page) text() (string, error) {
	p.end()
	return strings.TrimRight(p.String(), "\n"), p.err
}

func (p *page) site(id moodle.Site, address, release, version string) {
	p.line("name", cmp.Or(id.Name, "unknown"))
	p.line("address", cmp.Or(address, "unknown"))
	p.line("identifier", cmp.Or(id.ID, "none"))
	if release != "" || version != "" {
		p.line("Moodle", strings.TrimPrefix(strings.TrimSuffix(release+", version "+version, ", version "), ", "))
	}
}

// sites adds what the backup and the target are.
func (p *page) sites(t *target, facts map[string]string) {
	p.heading("backup")
	p.site(moodle.SiteOf(facts), facts[moodle.AddressFact], facts[moodle.ReleaseFact], facts[moodle.VersionFact])
	p.heading("target")
	p.site(t.Site, t.WWWRoot, t.Release, t.Version)
}

// comparison shows which sites the backup and the target are.
func comparison(t *target, facts map[string]string) (string, error) {
	var p page
	p.sites(t, facts)
	return p.text()
}

// confirmation is the text that a person confirms before a site is replaced.
func confirmation(t *target, plan *stage.Plan, preserved []string) (string, error) {
	var p page
	p.WriteString("The backup replaces what is in the target.\n")
	p.heading("backup")
	f := plan.Facts
	p.site(moodle.SiteOf(f), f[moodle.AddressFact], f[moodle.ReleaseFact], f[moodle.VersionFact])
	p.line("size", planned(plan))
	for _, id := range plan.Snapshots {
		text := id
		if made, ok := manifest.IdMoment(id); ok {
			text += ", made " + moment(made)
		}
		p.line("snapshot", text)
	}
	if len(plan.Snapshots) == 0 {
		p.line("source", cmp.Or(f["engine"], "a live site"))
	}
	p.heading("target")
	switch {
	case t.Unfinished:
		p.line("state", "an unfinished restore")
	case t.Empty:
		p.line("state", "no tables, but files")
	default:
		p.site(t.Site, t.WWWRoot, t.Release, t.Version)
		p.line("size", t.size())
		if !t.Used.IsZero() {
			p.line("last used", moment(t.Used))
		}
	}
	p.line("database", t.Place)
	for _, dir := range t.Dirs {
		p.line("directory", dir)
	}
	p.line("preserved", strings.Join(preserved, ", "))
	return p.text()
}

// planned describes the size of a plan.
func planned(plan *stage.Plan) string {
	var rows, bytes int64
	for _, t := range plan.Tables {
		rows += t.Rows
		bytes += t.Bytes
	}
	return fmt.Sprintf("%s rows (%s), %s files and directories (%s)", humanize.Comma(rows), size(bytes), humanize.Comma(plan.Files), size(plan.Bytes-bytes))
}

// size describes the size of the target's database.
func (t *target) size() string {
	text := fmt.Sprintf("%d tables", t.Tables)
	if t.Rows > 0 {
		text += fmt.Sprintf(", about %s rows", humanize.Comma(t.Rows))
	}
	if t.Bytes > 0 {
		text += " (" + size(t.Bytes) + ")"
	}
	return text
}

func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
