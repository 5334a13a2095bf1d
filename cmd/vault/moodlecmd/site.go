package moodlecmd

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	live "github.com/lmsvault/vault/dialects/site"
)

// site is the live site that a command works on.
type site struct {
	app      *cli.App
	there    *live.Settings
	settings map[string]any // that every action on a site has
}

// siteFlags adds the flags that say which site, and how to confirm.
func siteFlags(cmd *cobra.Command) {
	cli.PipelineFlags(cmd, false)
	cmd.Flags().String("address", "", "the site's address, if config.php serves several sites (https://moodle.example.org)")
	cmd.Flags().Bool("dry-run", false, "say what would be done, and change nothing")
	cmd.Flags().BoolP("yes", "y", false, "do it without asking for confirmation")
}

// siteOf returns a site: a directory with config.php, or a pipeline file that names it.
func siteOf(a *cli.App, cmd *cobra.Command, path string) (*site, error) {
	there, err := locate(a, cmd, path)
	if err != nil {
		return nil, err
	}
	address, err := cmd.Flags().GetString("address")
	if err != nil {
		return nil, err
	}
	there.Address = cmp.Or(address, there.Address)
	if there.Dir, err = filepath.Abs(there.Dir); err != nil {
		return nil, err
	}
	return &site{app: a, there: there, settings: there.Values()}, nil
}

// perform runs an action on the site. Its error says only that the action could not do its
// work.
func (s *site) perform(ctx context.Context, name string, dry bool) (result stage.ActionResult, err error) {
	st, ok := s.app.Stages.Find(stage.RoleAction, name)
	if !ok {
		return result, fmt.Errorf("no action %s", name)
	}
	cfg := st.Config()
	if err := config.AssignValues(s.settings, cfg); err != nil {
		return result, failure.Wrap(failure.Usage, err)
	}
	return s.performWith(ctx, st, cfg, dry)
}

// performWith is perform with the action's whole configuration.
func (s *site) performWith(ctx context.Context, st stage.Stage, cfg any, dry bool) (result stage.ActionResult, err error) {
	temporary, err := os.MkdirTemp("", "vault-")
	if err != nil {
		return result, err
	}
	defer os.RemoveAll(temporary)
	action, err := st.NewAction(ctx, cfg, stage.Env{Log: s.app.Log, TempDir: temporary, Workers: 1, Version: cli.Version()})
	if err != nil {
		return result, err
	}
	result = stage.ActionResult{Name: st.Name, Stage: st.Name, Moment: stage.MomentAfter, Started: time.Now().UTC(), DryRun: dry}
	report, err := action.Run(ctx, stage.ActionRequest{Moment: stage.MomentAfter, DryRun: dry})
	result.Finished, result.Findings, result.Level = time.Now().UTC(), report.Findings, report.Level()
	if err != nil {
		return result, fmt.Errorf("%s: %w", st.Name, err)
	}
	return result, report.Validate()
}

// print prints what actions did, with all details.
func (s *site) print(results ...stage.ActionResult) error {
	if s.app.Flag("json").On {
		return s.app.PrintJSON(results)
	}
	return s.app.Print(text(results))
}

// text lists the findings of actions.
func text(results []stage.ActionResult) string {
	var b strings.Builder
	for _, r := range results {
		for _, f := range r.Findings {
			fmt.Fprintf(&b, "%s\n", cli.Plain(f.String()))
			for line := range strings.Lines(f.Details) {
				fmt.Fprintf(&b, "    %s\n", cli.Plain(strings.TrimRight(line, "\n")))
			}
		}
	}
	return b.String()
}

// failed returns an error if an action found a failure.
func failed(results ...stage.ActionResult) error {
	for _, r := range results {
		if r.Level == stage.LevelFail {
			return failure.New(failure.Refused, "%s: see the findings above", r.Name)
		}
	}
	return nil
}
