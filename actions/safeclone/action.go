package safeclone

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/moodle/clone"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
)

// IDs of findings. That of a measure is measureID and the measure's own ID.
const (
	originalID = "original"
	measureID  = "measure-"
	offID      = "measures-off"
	forcedID   = "forced-setting"
)

type action struct {
	stage.UnimplementedAction
	config *Config
}

// Run takes the measures, or counts in a dry run what they would change.
func (a *action) Run(ctx context.Context, r stage.ActionRequest) (report stage.ActionReport, err error) {
	there, err := a.config.Read(ctx)
	if err != nil {
		return report, err
	}
	address, err := there.WWWRoot()
	if err != nil {
		return report, err
	}
	db, err := there.Open(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	if f, ok, err := a.original(ctx, db, address); err != nil || !ok {
		report.Findings = append(report.Findings, f)
		return report, err
	}
	options, err := known(ctx, db)
	if err != nil {
		return report, err
	}
	measures, err := clone.New(a.config.Config, options)
	if err != nil {
		return report, err
	}
	report.Findings = forced(there, measures)
	if _, err := db.Edit(ctx, measures, database.EditOptions{DryRun: r.DryRun}); err != nil {
		return report, fmt.Errorf("%w; the measures are not complete: run again", err)
	}
	for _, c := range measures.Counts() {
		what := c.String()
		if r.DryRun {
			what = "dry run: " + what
		}
		report.Findings = append(report.Findings, stage.ActionFinding{ID: measureID + c.ID, Level: stage.LevelOK, What: what})
	}
	var off []string
	for _, m := range measures.Off() {
		off = append(off, m.ID)
	}
	if len(off) > 0 {
		report.Findings = append(report.Findings, stage.ActionFinding{ID: offID, Level: stage.LevelNote, What: "measures that are off: " + strings.Join(off, ", ")})
	}
	return report, nil
}

// original reports whether the site is a copy, and if not, why.
func (a *action) original(ctx context.Context, db *database.Database, address string) (f stage.ActionFinding, ok bool, err error) {
	if t, err := db.Table(ctx, "config_plugins"); err != nil || t == nil {
		return stage.ActionFinding{ID: originalID, Level: stage.LevelFail, What: "the database has no table config_plugins; it is not that of a Moodle site", Where: db.Address()}, false, err
	}
	if a.config.Copy {
		return f, true, nil
	}
	recorded, err := db.Query(ctx, "SELECT name, value FROM {config_plugins} WHERE plugin = ? ORDER BY name", clone.RecordPlugin)
	if err != nil {
		return f, false, err
	}
	f = stage.ActionFinding{ID: originalID, Level: stage.LevelFail, Where: address}
	none := true
	for _, row := range recorded {
		if !strings.HasPrefix(row[0].String, clone.RecordPrefix) {
			continue
		}
		none = false
		if clone.SameAddress(row[1].String, address) {
			f.What = "the site has the address of the original, so it may be the original itself"
			f.Remedy = "correct $CFG->wwwroot in the config.php of the copy; if the site is a copy although it has this address, set copy: true"
			return f, false, nil
		}
	}
	if none {
		f.What = "nothing is recorded about the original of the site, so it may be the original itself"
		f.Remedy = "check that the site is a copy, then set copy: true"
		return f, false, nil
	}
	return f, true, nil
}

// known returns what the measures may know of the database.
func known(ctx context.Context, db *database.Database) (clone.Options, error) {
	existing := map[string]bool{}
	core, err := db.Query(ctx, "SELECT name FROM {config}")
	if err != nil {
		return clone.Options{}, err
	}
	for _, row := range core {
		existing["config "+row[0].String] = true
	}
	plugins, err := db.Query(ctx, "SELECT plugin, name FROM {config_plugins}")
	if err != nil {
		return clone.Options{}, err
	}
	for _, row := range plugins {
		existing["config_plugins "+row[0].String+"/"+row[1].String] = true
	}
	admins, err := db.First(ctx, "SELECT value FROM {config} WHERE name = ?", "siteadmins")
	if err != nil {
		return clone.Options{}, err
	}
	o := clone.Options{Existing: func(table, key string) bool { return existing[table+" "+key] }}
	for _, id := range strings.Split(admins.String, ",") {
		if id = strings.TrimSpace(id); id != "" {
			o.AdminIDs = append(o.AdminIDs, id)
		}
	}
	return o, nil
}

// forced warns about settings of config.php that win over the measures.
func forced(there *site.Site, measures *clone.Edit) []stage.ActionFinding {
	var findings []stage.ActionFinding
	for _, s := range measures.Settings() {
		set, ok := there.Forced().CoreSetting(s.Name)
		if !ok {
			continue
		}
		if text, known := set.Text(); known && text == s.Value {
			continue
		}
		findings = append(findings, stage.ActionFinding{
			ID: forcedID, Level: stage.LevelWarning, Where: set.Pos.String(),
			What:   fmt.Sprintf("config.php forces the setting %s, which wins over the measure %q", s.Name, s.Measure.Title),
			Remedy: fmt.Sprintf("remove it, or set it to %q", s.Value),
		})
	}
	return findings
}
