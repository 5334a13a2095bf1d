package check

import (
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/moodle/xmldb"
	"github.com/lmsvault/vault/core/stage"
)

// DatabaseModifications is the check that compares the database with Moodle's definitions.
func DatabaseModifications() Check {
	return Check{
		ID: "database-modifications", Title: "Database modifications",
		Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelWarning, stage.LevelFail},
		Doc: `Compares all tables, columns and indexes with the install.xml files of Moodle and of every plugin. Needs the
site's code.

A **note** is a difference that the backup includes: extra and changed tables, columns and indexes. Components that
are about to be installed or upgraded have one note each. A **warning** is something that is missing, which a restore
does not add. A difference **fails** if no backup can include it; what the run itself counts as a loss, such as a view,
is not repeated here. Tables that the pipeline excludes are not compared.`,
		Remedy: `nothing for notes. For something missing, run Moodle's upgrade, or create it as admin/cli/check_database_schema.php
shows. Exclude a table of another program with ` + "`vault check --exclude database-modifications:TABLE`" + `.`,
	}
}

// Most findings and lines of one check.
const (
	mostFindings = 500
	mostLines    = 50
)

// Structure is what DatabaseModifications examines.
type Structure struct {
	Differences []xmldb.Difference
	// Unread lists the files whose definitions could not be read, with the reasons.
	Unread []string
	// Excludes reports whether the pipeline excludes a table. May be nil.
	Excludes func(table string) bool
}

// Findings returns the findings of the check DatabaseModifications.
func (s Structure) Findings() []stage.ActionFinding {
	var found []stage.ActionFinding
	c := DatabaseModifications()
	for _, text := range s.Unread {
		f := c.Finding(stage.LevelWarning, "a file with definitions could not be read, so its tables count as undefined")
		f.Where, f.Details = strings.SplitN(text, ":", 2)[0], text
		f.Remedy = "restore the file from the plugin's or Moodle's distribution"
		found = append(found, f)
	}
	pending := map[string][]string{}
	var order []xmldb.Difference // the first pending one of each component
	left := 0
	for _, d := range s.Differences {
		switch {
		case s.Excludes != nil && s.Excludes(d.Table):
		case d.Reason != "" && d.Severity != xmldb.Fails:
			if pending[d.Component] == nil {
				order = append(order, d)
			}
			reason := d
			reason.Reason = ""
			pending[d.Component] = append(pending[d.Component], reason.String())
		case len(found) >= mostFindings && d.Severity != xmldb.Fails:
			left++
		default:
			found = append(found, difference(c, d))
		}
	}
	for _, d := range order {
		lines := pending[d.Component]
		f := c.Finding(stage.LevelNote, "%d differences, because %s", len(lines), d.Reason)
		if len(lines) == 1 {
			f = c.Finding(stage.LevelNote, "1 difference, because %s", d.Reason)
		}
		f.Where, f.Details = d.Component, Lines(lines)
		found = append(found, f)
	}
	if left > 0 {
		found = append(found, c.Finding(stage.LevelNote, "%d more differences are not listed", left))
	}
	return found
}

// difference returns the finding of one difference.
func difference(c Check, d xmldb.Difference) stage.ActionFinding {
	level := stage.LevelNote
	switch d.Severity {
	case xmldb.Noted:
		level = stage.LevelWarning
	case xmldb.Fails:
		level = stage.LevelFail
	}
	f := c.Finding(level, "%s", d)
	f.Where = d.Table
	if d.Column != "" {
		f.Where += "." + d.Column
	} else if d.Index != "" {
		f.Where += "." + d.Index
	}
	if d.Component != "" {
		f.What += " (" + d.Component + ")"
	}
	switch remedy := strings.TrimPrefix(d.Remedy(), "nothing; "); {
	case d.EngineOwn:
		f.What += "; a restore into another engine leaves it out"
	case remedy != "nothing":
		f.Remedy = remedy
	}
	if d.Kind != xmldb.MissingTable {
		f.Exclude = []string{stage.DB + "/" + d.Table}
	}
	return f
}

// Lines joins lines, at most 50, for the details of a finding.
func Lines(lines []string) string {
	if more := len(lines) - mostLines; more > 0 {
		lines = append(lines[:mostLines:mostLines], fmt.Sprintf("… and %d more", more))
	}
	return strings.Join(lines, "\n")
}
