// Package checkbackup implements the action that performs the checks before a backup. The
// checks themselves are in package check; this package reads what they examine.
//
// Start reading at steps, the list of the checks.
package checkbackup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// Config is the configuration of the action.
type Config struct {
	database.Address
	Dir          string                   `key:"dir" help:"the site's code: the directory with config.php; without it, the database is not compared with Moodle's definitions" example:"/var/www/moodle"`
	WWWRoot      string                   `key:"address" help:"the site's address; needed if config.php serves several sites and decides by the host name" example:"https://moodle.example.org"`
	Settings     map[string]config.Secret `key:"settings" help:"settings that replace those of config.php, for what it takes from elsewhere" example:"{dbpass: \"${env:MOODLE_DBPASS}\"}"`
	DataRoot     string                   `key:"dataroot" place:"dir" help:"the site's data root" example:"/var/moodledata"`
	Filedir      string                   `key:"filedir" place:"dir" help:"the site's file pool; default: the directory filedir in the data root" example:"/var/moodledata/filedir"`
	VerifyFiles  bool                     `key:"verify_files" help:"read all files and compare their SHA-1, instead of only their sizes"`
	Skip         []string                 `key:"skip" help:"IDs of checks to skip" example:"[missing-files]"`
	Repositories []string                 `key:"repositories" place:"repositories" help:"directories of the repositories that the run writes to; default: those of the pipeline"`
	Targets      []string                 `key:"targets" place:"targets" help:"directories of the other targets that the run writes to; default: those of the pipeline"`
	Accept       []string                 `key:"accept_loss" place:"accepted" help:"losses that are accepted, as KIND=COUNT; default: those of the pipeline" example:"[missing_file=3]"`
}

// Validate checks the location of the database, the IDs of checks and the numbers.
func (c *Config) Validate() error {
	errs := []error{c.Address.Validate()}
	for i, id := range c.Skip {
		if !slices.ContainsFunc(Checks().Checks, func(k check.Check) bool { return k.ID == id }) {
			key := fmt.Sprintf("skip[%d]", i)
			errs = append(errs, config.At(key, "%s is not the ID of a check; vault check --list shows them", key))
		}
	}
	for i, text := range c.Accept {
		if _, _, ok := acceptance(text); !ok {
			key := fmt.Sprintf("accept_loss[%d]", i)
			errs = append(errs, config.At(key, "%s must be KIND=COUNT, such as missing_file=3", key))
		}
	}
	return errors.Join(errs...)
}

// acceptance reads KIND=COUNT.
func acceptance(text string) (kind stage.LossKind, count int64, ok bool) {
	name, number, ok := strings.Cut(text, "=")
	count, err := strconv.ParseInt(number, 10, 64)
	return stage.LossKind(name), count, ok && err == nil && count >= 0
}

// accepted returns the number of losses of a kind that are accepted.
func (c *Config) accepted(kind stage.LossKind) int64 {
	for _, text := range c.Accept {
		if k, n, ok := acceptance(text); ok && k == kind {
			return n
		}
	}
	return 0
}

// Checks returns the descriptions of the checks, in the order in which they are performed.
func Checks() check.Group {
	return check.Group{
		Title: "Before a backup",
		Doc: `The action ` + "[`check-backup`](stages/action-check-backup.md)" + ` performs them after the run has been planned; the source
moodle includes it. Single checks are left out with ` + "`skip`" + `.`,
		Checks: check.Checks(steps()),
	}
}

// Stage returns the description of the action.
func Stage() stage.Stage {
	var names []string
	for _, c := range Checks().Checks {
		names = append(names, "`"+c.ID+"`")
	}
	return stage.Stage{
		Info: stage.Info{
			Name: "check-backup", Role: stage.RoleAction, Summary: "Checks a Moodle site before a backup.",
			Doc: `The checks, which ` + "[docs/checks.md](../checks.md)" + ` describes: ` + strings.Join(names, ", ") + `.

Use it with ` + "`when: planned`" + `: then the checks know what the pipeline excludes, and how large the site is. The source
moodle does. The action only reads, in a session of its own, and does the same in a plan and in a run.`,
			Config: func() any { return &Config{} },
		},
		NewAction: stage.Typed(func(_ context.Context, c *Config, env stage.Env) (stage.Action, error) {
			return &action{config: c, temp: env.TempDir}, nil
		}),
	}
}

type action struct {
	stage.UnimplementedAction
	config *Config
	temp   string
}

// Run performs the checks.
func (a *action) Run(ctx context.Context, r stage.ActionRequest) (report stage.ActionReport, err error) {
	s, err := newSite(a.config, a.temp, r.Plan)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	report.Findings, err = check.Run(ctx, steps(), s, a.config.Skip)
	return report, err
}
