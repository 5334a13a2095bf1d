package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/core/stage"
)

// guardConfig is the configuration of the action restore-guard.
type guardConfig struct {
	targetSettings
	AllowRestore bool     `key:"allow_restore" help:"restore although the site's own settings do not allow it"`
	ReplaceSite  string   `key:"replace_site" open:"true" help:"the site identifier or address of the site to replace; needed if that is another site than the one of the backup" example:"https://staging.example.org"`
	Preserved    []string `key:"preserved" help:"what of the target stays, for the text to confirm" example:"[db/local_school_*]"`
}

// The checks of the guard.
var (
	permission = check.Check{
		ID: "restore-permission", Title: "Permission to restore", Levels: []stage.Level{stage.LevelOK, stage.LevelWarning, stage.LevelFail},
		Doc: `A site is replaced only if it allows it: with the setting allowrestore = 1 of the plugin tool_vault, in the database or
forced in config.php, with ` + "`allow_restore: true`" + ` in the settings of the sink, or with ` + "`--allow-restore`" + `. A config.php that forces
allowrestore to 0 forbids it in any case. An empty database needs no permission. A part of config.php that
cannot be evaluated and may force allowrestore is a warning.`,
		Remedy: "check that this is the site to restore into; then give `--allow-restore`.",
	}
	otherSite = check.Check{
		ID: "other-site", Title: "Site to replace", Levels: []stage.Level{stage.LevelOK, stage.LevelFail},
		Doc: `A target is replaced by a backup of another site only if ` + "`replace_site`" + ` names it by its site identifier or
address. It is another site if the site identifiers differ, if the addresses are known and differ, or if
the target has tables and no site identifier.`,
		Remedy: "check that this is the site to restore into; then set `replace_site`.",
	}
)

// guard is the action restore-guard.
type guard struct {
	stage.UnimplementedAction
	cfg guardConfig
}

// Run compares the target with the plan and asks for a confirmation.
func (g *guard) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	var report stage.ActionReport
	if r.Plan == nil {
		return report, fmt.Errorf("it runs only when: planned")
	}
	config, err := g.cfg.Read(ctx)
	if err != nil {
		return report, err
	}
	t, err := g.cfg.target(ctx, config)
	if err != nil {
		return report, err
	}
	meant, err := g.meant(t, r.Plan.Facts)
	if err != nil {
		return report, err
	}
	report.Findings = append(report.Findings, undecided(config.Forced(), g.permitted(t, config.Forced())), meant)
	if !t.Empty || len(t.Dirs) > 0 {
		report.Confirm, err = confirmation(t, r.Plan, g.cfg.Preserved)
	}
	return report, err
}

// forced returns what config.php says about restores: "1", "0", or "" for nothing.
func forced(config siteconfig.Forced) (value, where string) {
	s, ok := config.PluginSetting("tool_vault", "allowrestore")
	if !ok {
		return "", ""
	}
	text, known := s.Text()
	if known && text != "" && text != "0" {
		return "1", s.Pos.String()
	}
	return "0", s.Pos.String()
}

// permitted checks the permission.
func (g *guard) permitted(t *target, config siteconfig.Forced) stage.ActionFinding {
	ok := func(format string, args ...any) stage.ActionFinding {
		return permission.Finding(stage.LevelOK, format, args...)
	}
	value, where := forced(config)
	switch {
	case value == "0":
		f := permission.Finding(stage.LevelFail, "config.php of the target forbids restores: it forces allowrestore of tool_vault to 0, or to a value that is not known")
		f.Where, f.Remedy = where, "check that this is the site to restore into; if it is, remove that line"
		return f
	case t.Empty && !t.Unfinished:
		return ok("the database of the target is empty")
	case t.Unfinished:
		return ok("the target holds an unfinished restore instead of a site")
	case g.cfg.AllowRestore:
		return ok("the command line or the pipeline allows to replace the site")
	case value == "1":
		return ok("config.php of the target allows to replace the site")
	case t.Allows != "" && t.Allows != "0":
		return ok("the target's setting allowrestore of tool_vault allows to replace the site")
	}
	f := permission.Finding(stage.LevelFail, "the target holds a site that does not allow restores")
	f.Where = t.Place
	f.Remedy = "check that this is the site to restore into; if it is, give --allow-restore, or set allow_restore: true in the sink"
	return f
}

// undecided makes a permission a warning if config.php may force allowrestore without
// telling.
func undecided(all siteconfig.Forced, f stage.ActionFinding) stage.ActionFinding {
	if f.Level != stage.LevelOK {
		return f
	}
	if _, known := all.PluginSetting("tool_vault", "allowrestore"); known || all.Open == nil {
		return f
	}
	f.Level, f.Where = stage.LevelWarning, all.Open.Pos.String()
	f.What += ", but config.php may force allowrestore of tool_vault in a part that cannot be evaluated: " + all.Open.Problem
	f.Remedy = "check that config.php does not forbid restores"
	return f
}

// meant checks that the target is the site that is to be replaced.
func (g *guard) meant(t *target, facts map[string]string) (f stage.ActionFinding, err error) {
	if t.Empty || t.Unfinished {
		return otherSite.Finding(stage.LevelOK, "the target holds no site"), nil
	}
	why, same := t.same(facts)
	if same {
		return otherSite.Finding(stage.LevelOK, "the target is the site of the backup"), nil
	}
	names := t.names()
	if slices.Contains(names, strings.TrimRight(g.cfg.ReplaceSite, "/")) {
		return otherSite.Finding(stage.LevelOK, "replace_site names the site in the target"), nil
	}
	f = otherSite.Finding(stage.LevelFail, "%s", why)
	f.Where = t.Place
	f.Remedy = "check that this is the site to replace; if it is, set replace_site: " + names[0]
	if g.cfg.ReplaceSite != "" {
		f.Remedy = fmt.Sprintf("replace_site is %s, but the target is %s; check that this is the site to replace", g.cfg.ReplaceSite, strings.Join(names, " or "))
	}
	f.Details, err = comparison(t, facts)
	return f, err
}
