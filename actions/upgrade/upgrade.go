package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/program"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

const defaultTimeout = config.Duration(2 * time.Hour)

// IDs of findings.
const (
	dueID  = "moodle-upgrade"      // whether an upgrade is needed, and how it went
	pathID = "moodle-upgrade-path" // whether it is possible
	phpID  = "moodle-upgrade-php"  // whether it can be run here
)

type action struct {
	stage.UnimplementedAction
	config *Config
}

func finding(id string, level stage.Level, format string, args ...any) stage.ActionFinding {
	return stage.ActionFinding{ID: id, Level: level, What: fmt.Sprintf(format, args...)}
}

func report(findings ...stage.ActionFinding) stage.ActionReport {
	return stage.ActionReport{Findings: findings}
}

// Run says whether an upgrade is needed, and runs it if it is to.
func (a *action) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	s, err := a.config.Read(ctx)
	if err != nil {
		return stage.ActionReport{}, err
	}
	code, err := s.Code(ctx)
	if err != nil {
		if failure.Of(err) != failure.Refused {
			return stage.ActionReport{}, err
		}
		return report(finding(dueID, stage.LevelWarning, "whether Moodle needs an upgrade is not known: %v", err)), nil
	}
	from, err := a.data(ctx, s, r.Plan)
	if err != nil {
		return stage.ActionReport{}, err
	}
	if from.core().IsZero() {
		return report(finding(dueID, stage.LevelNote, "whether Moodle needs an upgrade is not known, because the version of the data is not")), nil
	}
	states := code.Compare(from.installed)
	due := component.Due(states)
	if len(due) == 0 {
		if lower := component.Only(states, component.Lower); len(lower) > 0 {
			f := finding(dueID, stage.LevelFail, "Moodle does not run with code that is older than its data: %s", component.Names(lower))
			f.Remedy = "install the code of at least these versions"
			if r.Plan != nil { // the checks before a restore decide
				f.Level = stage.LevelNote
			}
			return report(f), nil
		}
		return report(finding(dueID, stage.LevelOK, "Moodle needs no upgrade")), nil
	}
	if r.Plan == nil {
		if why := a.elsewhere(ctx, s); why != "" || ctx.Err() != nil {
			f := a.due(s, code, from, due)
			f.Remedy = why + "; write the restored database into it, then run: " + a.command(s)
			return report(f), ctx.Err()
		}
	}
	return a.upgrade(ctx, r, s, code, from, due)
}

// elsewhere says why the upgrade by the site's code would not be one of the restored data;
// "" if it would.
func (a *action) elsewhere(ctx context.Context, s *site.Site) string {
	other, err := s.Elsewhere(ctx)
	switch {
	case err != nil:
		return fmt.Sprintf("the database that config.php names can't be reached: %v", err)
	case other:
		return "config.php names another database than the restored one"
	}
	return ""
}

// due reports that an upgrade is needed.
func (a *action) due(s *site.Site, code *component.Code, from data, due []component.State) stage.ActionFinding {
	f := finding(dueID, stage.LevelWarning, "Moodle needs an upgrade from %s to %s: %s", from.core(), code.Version, component.Names(due))
	f.Where = s.Dir
	return f
}

// data returns the versions in a plan, or without one in the site's database.
func (a *action) data(ctx context.Context, s *site.Site, p *stage.Plan) (d data, err error) {
	if p != nil {
		var plugins map[string]string
		if text := p.Facts[moodle.PluginsFact]; text != "" {
			if err := json.Unmarshal([]byte(text), &plugins); err != nil {
				return d, fmt.Errorf("the versions of plugins in the facts of the site: %w", err)
			}
		}
		return data{component.Installed(p.Facts[moodle.VersionFact], plugins), p.Facts[moodle.ReleaseFact]}, nil
	}
	db, err := s.Open(ctx)
	if err != nil {
		return d, err
	}
	d.installed, d.release, err = site.Installed(ctx, db)
	return d, errors.Join(err, db.Close(context.WithoutCancel(ctx)))
}

// upgrade reports the upgrade that is due, and runs it if it is to.
func (a *action) upgrade(ctx context.Context, r stage.ActionRequest, s *site.Site, code *component.Code, from data, due []component.State) (stage.ActionReport, error) {
	f := a.due(s, code, from, due)
	steps, err := a.path(ctx, s, code, from)
	if err != nil {
		if ctx.Err() != nil || failure.Of(err) != failure.Refused {
			return report(f), err
		}
		level := stage.LevelWarning
		if a.config.Run {
			level = stage.LevelFail
		}
		return report(f, finding(pathID, level, "the upgrade is not possible: %v", err)), nil
	}
	if !a.config.Run {
		f.Remedy = "run, before the site is opened: " + a.command(s)
		if len(steps) > 1 {
			f.Remedy = fmt.Sprintf("the data is to be upgraded in %d steps, which run: true does", len(steps))
		}
		return report(f), nil
	}
	php, err := exec.LookPath(a.config.PHP)
	if err != nil {
		none := finding(phpID, stage.LevelWarning, "the upgrade can't be run here: %s is not found", a.config.PHP)
		none.Remedy = "install PHP or set php; or run where the site's PHP is: " + a.command(s)
		if len(steps) > 1 {
			none.Level = stage.LevelFail
		}
		return report(f, none), nil
	}
	if r.DryRun || r.Moment != stage.MomentAfter {
		f.Level, f.Remedy = stage.LevelNote, ""
		for _, step := range steps {
			f.Details += step.script + "\n"
		}
		return report(f, finding(pathID, stage.LevelOK, "would run the upgrade by Moodle %s", releases(steps))), nil
	}
	f.Level = stage.LevelNote
	found := []stage.ActionFinding{f}
	for _, step := range steps {
		one, err := a.run(ctx, php, s, step)
		if found = append(found, one...); err != nil {
			return report(found...), err
		}
		if one[0].Level == stage.LevelFail {
			break
		}
	}
	return report(found...), nil
}

// run runs the upgrade by one code and verifies the version in the database.
func (a *action) run(ctx context.Context, php string, s *site.Site, next step) (found []stage.ActionFinding, err error) {
	by, err := accountOf(s)
	if err != nil {
		return nil, err
	}
	if !next.own {
		remove, err := lend(next.dir, s, by)
		if err != nil {
			return nil, err
		}
		defer func() {
			if bad := remove(); bad != nil {
				left := finding(pathID, stage.LevelWarning, "%v", bad)
				left.Remedy = "remove it"
				found = append(found, left)
			}
		}()
	}
	p := program.Program{Argv: []string{php, next.script, "--non-interactive"}, Dir: next.dir, Env: by.environment(s.Env), Timeout: time.Duration(a.config.Timeout)}
	if by.switches() {
		p.User = &by.User
	}
	done := stage.Step(ctx, "upgrading by Moodle "+next.code.Release)
	result, err := p.Run(ctx)
	done()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", next.script, err)
	}
	f := finding(dueID, stage.LevelOK, "upgraded to Moodle %s in %v", next.code.Release, result.Took)
	f.Where, f.Details = next.dir, result.Output
	if !by.self && !by.switches() {
		f.Remedy = "it ran as the user who runs vault: give files in the data root that are not " + by.name + "'s to that user"
	}
	if !result.OK {
		f.Level, f.What = stage.LevelFail, "the upgrade to Moodle "+next.code.Release+" failed: "+result.String()
		f.Remedy = "see the output; the restored data is in the database as far as the upgrade came"
		return []stage.ActionFinding{f}, nil
	}
	now, err := a.data(ctx, s, nil)
	if err != nil {
		return nil, err
	}
	if now.core().Compare(next.code.Version) != 0 {
		f.Level = stage.LevelFail
		f.What = fmt.Sprintf("the upgrade to Moodle %s ended without an error, but the database has version %s instead of %s", next.code.Release, now.core(), next.code.Version)
		return []stage.ActionFinding{f}, nil
	}
	if left := component.Due(next.code.Compare(now.installed)); next.own && len(left) > 0 {
		f.Level = stage.LevelFail
		f.What = "the upgrade ended without an error, but Moodle still needs an upgrade: " + component.Names(left)
	}
	return []stage.ActionFinding{f}, nil
}

// command returns the command that runs the upgrade by the site's own code.
func (a *action) command(s *site.Site) string {
	admin := site.CodeOptions(s.Site).Admin
	if admin == "" {
		admin = "admin"
	}
	path, err := script(s.Dir, admin)
	if err != nil {
		path = s.Dir + "/" + admin + "/cli/upgrade.php"
	}
	command := shell(a.config.PHP) + " " + shell(path) + " --non-interactive"
	if by, err := accountOf(s); err == nil && !by.self {
		command = "sudo -u " + shell(by.name) + " " + command
	}
	return command
}

// shell quotes a word for a shell if it needs that.
func shell(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func releases(steps []step) string {
	var names []string
	for _, s := range steps {
		names = append(names, s.code.Release)
	}
	return strings.Join(names, ", then ")
}
