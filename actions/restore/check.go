package restore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
)

// checkConfig is the configuration of the action check-restore.
type checkConfig struct {
	targetSettings
	AllowMissing bool     `key:"allow_missing_plugins" help:"restore although the code of plugins is missing in the target; their tables and settings stay until they are uninstalled"`
	Preserved    []string `key:"preserved_plugins" help:"plugins of the target that stay as they are, and are not compared with the backup" example:"[local_school]"`
	Replace      string   `key:"replace" default:"false" oneof:"false true in_place" help:"the sink's setting, which says whether the old site and the new one need space at the same time"`
	Collation    string   `key:"collation" help:"the sink's setting: collation of tables from another engine"`
	Skip         []string `key:"skip" help:"IDs of checks to leave out" example:"[restore-disk-space]"`
}

// Validate checks the IDs of checks.
func (c *checkConfig) Validate() error {
	var errs []error
	for i, id := range c.Skip {
		if !slices.ContainsFunc(check.Checks(checks), func(k check.Check) bool { return k.ID == id }) {
			key := fmt.Sprintf("skip[%d]", i)
			errs = append(errs, config.At(key, "%s is not the ID of a check before a restore; docs/checks.md lists them", key))
		}
	}
	return errors.Join(errs...)
}

// subject is what the checks of a restore look at.
type subject struct {
	checkConfig
	plan   *stage.Plan
	config *site.Site
	there  *database.Database // nil if there is no database yet: a file that is missing

	code     *component.Code // nil if codeErr is set
	codeErr  error
	versions map[string]component.Version // of the backup, by component; nil if unknown
	release  string                       // of the backup
}

// checks lists the checks before a restore, in order.
var checks = []check.Step[*subject]{
	{Check: backupFacts, Run: checkFacts},
	{Check: versions, Run: checkVersion},
	{Check: plugins, Run: checkPlugins},
	{Check: space, Run: checkSpace},
	{Check: engines, Run: checkEngine},
	{Check: collation, Run: checkCollation},
	{Check: settings, Run: checkSettings},
	{Check: environment, Run: checkEnvironment},
}

// Checks returns the descriptions of the checks before a restore, with those of the guard.
func Checks() check.Group {
	return check.Group{
		Title: "Before a restore",
		Doc: `The sink ` + "`moodle`" + ` performs them after the backup has been looked at, and before anything is written. Single
checks are left out with ` + "`skip_checks`" + `, except the first two, which have settings of their own.`,
		Checks: append([]check.Check{permission, otherSite}, check.Checks(checks)...),
	}
}

// checker is the action check-restore.
type checker struct {
	stage.UnimplementedAction
	cfg checkConfig
}

// Run performs the checks.
func (c *checker) Run(ctx context.Context, r stage.ActionRequest) (report stage.ActionReport, err error) {
	if r.Plan == nil {
		return report, errors.New("it runs only when: planned")
	}
	there, err := c.cfg.Read(ctx)
	if err != nil {
		return report, err
	}
	s := &subject{checkConfig: c.cfg, plan: r.Plan, config: there, release: r.Plan.Facts[moodle.ReleaseFact]}
	if s.there, err = open(ctx, there); err != nil {
		return report, err
	}
	if s.there != nil {
		defer func() { err = errors.Join(err, s.there.Close(ctx)) }()
	}
	s.code, s.codeErr = there.Code(ctx)
	if err := s.installed(); err != nil {
		return report, err
	}
	report.Findings, err = check.Run(ctx, checks, s, c.cfg.Skip)
	return report, err
}

// open connects to the database of the target; nil if it is a file that is missing.
func open(ctx context.Context, of *site.Site) (*database.Database, error) {
	address, err := of.Address()
	if err != nil {
		return nil, err
	}
	if address.Path != "" {
		if _, err := os.Stat(address.Path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	return address.Open(ctx)
}

// installed reads the versions of the backup.
func (s *subject) installed() error {
	core := s.plan.Facts[moodle.VersionFact]
	if core == "" {
		return nil
	}
	list := map[string]string{}
	if text := s.plan.Facts[moodle.PluginsFact]; text != "" {
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return fmt.Errorf("the backup's list of plugins is damaged: %w", err)
		}
	}
	s.versions = component.Installed(core, list)
	return nil
}

// named returns a release with its version, as messages show them.
func named(release string, version component.Version) string {
	switch {
	case release == "":
		return "version " + version.String()
	case version.IsZero():
		return release
	}
	return release + ", version " + version.String()
}

var backupFacts = check.Check{
	ID: "backup-facts", Title: "Facts of the backup", Levels: []stage.Level{stage.LevelOK, stage.LevelWarning},
	Doc: `A backup records the release of Moodle and the versions of all plugins. One that was made of single stages of
tables that are not Moodle's, or by an early version of Vault, lacks them; the checks of versions and plugins are then
left out.`,
	Remedy: "compare the versions by hand, or make a new backup.",
}

func checkFacts(_ context.Context, s *subject) ([]stage.ActionFinding, error) {
	var lacks string
	switch f := s.plan.Facts; {
	case f[moodle.VersionFact] == "":
		lacks = "the version of Moodle"
	case f[moodle.PluginsFact] == "":
		lacks = "the versions of plugins"
	case f[moodle.ReleaseFact] == "":
		lacks = "the release of Moodle"
	default:
		return nil, nil
	}
	f := backupFacts.Finding(stage.LevelWarning, "the backup does not record %s, so it cannot be compared with the target's code", lacks)
	f.Remedy = "compare the versions by hand, or make a new backup"
	return []stage.ActionFinding{f}, nil
}
