package removemissing

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
)

// IDs of findings.
const (
	pluginID  = "missing-plugin"         // of a plugin that is removed
	leftID    = "missing-plugin-left"    // of one that is not
	noneID    = "missing-plugin-none"    // nothing is missing
	refusedID = "missing-plugin-refused" // why nothing is removed
)

type action struct {
	stage.UnimplementedAction
	config *Config
}

func finding(id string, level stage.Level, format string, args ...any) stage.ActionFinding {
	return stage.ActionFinding{ID: id, Level: level, What: fmt.Sprintf(format, args...)}
}

// Run removes the missing plugins, or in a dry run lists them.
func (a *action) Run(ctx context.Context, r stage.ActionRequest) (report stage.ActionReport, err error) {
	s, err := a.config.Read(ctx)
	if err != nil {
		return report, err
	}
	code, err := s.Code(ctx)
	if err != nil {
		return report, err
	}
	db, err := s.Open(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	installed, _, err := site.Installed(ctx, db)
	if err != nil {
		return report, err
	}
	missing, found := choose(code, installed)
	report.Findings = found
	if len(missing) == 0 {
		return report, nil
	}
	plans, problem, err := plan(ctx, code, installed, db, missing)
	if err != nil {
		return report, err
	}
	if problem != nil {
		report.Findings = append(report.Findings, *problem)
		return report, nil
	}
	err = remove(ctx, db, plans, r.DryRun)
	if err != nil {
		return report, fmt.Errorf("removing missing plugins: %w", err)
	}
	for _, p := range plans {
		report.Findings = append(report.Findings, p.finding(r.DryRun))
	}
	return report, nil
}

// choose returns the plugins to remove, and findings about the others.
func choose(code *component.Code, installed map[string]component.Version) (missing []string, found []stage.ActionFinding) {
	if installed[component.Core].IsZero() {
		return nil, []stage.ActionFinding{finding(refusedID, stage.LevelFail, "the database holds no Moodle site")}
	}
	states := code.Compare(installed)
	gone := component.Only(states, component.Missing, component.Removed)
	if len(gone) == 0 {
		return nil, []stage.ActionFinding{finding(noneID, stage.LevelOK, "the code of every installed plugin is there")}
	}
	if due := append(component.Due(states), component.Only(states, component.Lower)...); len(due) > 0 {
		var names []string
		for _, d := range due {
			names = append(names, d.Component)
		}
		f := finding(refusedID, stage.LevelFail, "no plugin is removed, because the code and the database have different versions: %s", strings.Join(names[:min(10, len(names))], ", "))
		f.Remedy = "run Moodle's upgrade first, then: vault moodle remove-missing"
		return nil, []stage.ActionFinding{f}
	}
	for _, s := range gone {
		switch {
		case s.Change == component.Removed:
			found = append(found, finding(leftID, stage.LevelNote, "%s is left: Moodle no longer contains it, and its upgrade removes it", s.Component))
		case s.Standard:
			f := finding(leftID, stage.LevelWarning, "%s is left: it is part of this Moodle release, so the code is incomplete", s.Component)
			f.Remedy = "restore the directory of the plugin from Moodle's code"
			found = append(found, f)
		default:
			missing = append(missing, s.Component)
		}
	}
	return missing, found
}

// plan finds what belongs to the missing plugins. problem says why that is not certain.
func plan(ctx context.Context, code *component.Code, installed map[string]component.Version, db *database.Database, missing []string) (plans []*removal, problem *stage.ActionFinding, err error) {
	definitions, problems, err := code.Definitions(ctx)
	if err != nil {
		return nil, nil, err
	}
	if len(problems) > 0 {
		f := finding(refusedID, stage.LevelFail, "no plugin is removed, because it is not certain which tables belong to it: %s", problems[0])
		return nil, &f, nil
	}
	tables, err := db.Tables(ctx)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	for _, t := range tables {
		names = append(names, t.Name)
	}
	for _, component := range missing {
		own := code.Tables(component, definitions, installed, names)
		p := newRemoval(component, own)
		if err := p.rows(ctx, db); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", component, err)
		}
		plans = append(plans, p)
	}
	return plans, nil, nil
}
