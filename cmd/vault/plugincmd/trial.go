package plugincmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/cmd/vault/stagecmd"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/conformance/process"
	"github.com/lmsvault/vault/plugins/host"
)

func newPluginTest(a *cli.App) *cobra.Command {
	var o trial
	cmd := &cobra.Command{
		Use:   "test FILE|NAME",
		Short: "Run the conformance kit against a plugin",
		Long: `Run the conformance kit against a plugin in any language. FILE is the plugin's program,
which is run as it is; NAME is an installed plugin. Each check tests one promise of the
contract and prints a line with its name and result. A failure is explained: what was
found, and why it matters. The exit code is 1 if a check failed.

--config gives the settings: a pipeline file, of which the first step with the stage is
used, or a file with the settings only. Use a storage or database that exists only for
the test. Storage checks remove the objects that they create; sink checks write their
own tables and files to the target and leave them there; a source should be small. For
this command, set the tool's own configuration file with LMSVAULT_CONFIG.`,
		Example: "  vault plugin test ./mystore --config try.yaml\n  vault plugin test ./mystore --config try.yaml --run storage/list\n  vault plugin test ./mystore --list",
		Args:    cli.Takes("FILE|NAME"),
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return errors.Join(o.own(cmd), a.Setup(cmd))
		},
		RunE: func(cmd *cobra.Command, args []string) error { return testPlugin(a, cmd, args[0], o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.config, "config", "", "a pipeline that uses the plugin, or a file with the stage's settings")
	flags.StringArray("set", nil, "NAME=VALUE for ${NAME} in that file; may be repeated")
	flags.StringVar(&o.stage, "stage", "", "the stage to test, if the plugin has several")
	flags.StringSliceVar(&o.run, "run", nil, "only checks whose name begins with this; may be repeated")
	flags.BoolVar(&o.list, "list", false, "list the checks and their reasons without running them")
	flags.BoolVar(&o.yes, "yes", false, "also run with settings that let a sink replace existing data")
	stagecmd.PluginsFlag(cmd)
	return cmd
}

// trial holds the flags of "vault plugin test".
type trial struct {
	config, stage string
	run           []string
	list, yes     bool
}

// own prevents --config from being read as the file of the tool's settings.
func (o *trial) own(cmd *cobra.Command) error {
	f := cmd.Flags().Lookup("config")
	given := o.config
	err := f.Value.Set("")
	f.Changed, o.config = false, given
	return err
}

func testPlugin(a *cli.App, cmd *cobra.Command, name string, o trial) error {
	ctx := cmd.Context()
	p, d, s, err := tested(a, ctx, name, o.stage)
	if err != nil {
		return err
	}
	var settings any
	if !o.list {
		if settings, p, err = testSettings(a, cmd, o, p, s); err != nil {
			return err
		}
	}
	l, err := newLives(a)
	if err != nil {
		return err
	}
	checks, err := chosen(l.checks(p, s, settings), o.run)
	if err != nil {
		return err
	}
	if o.list {
		return listChecks(a, checks)
	}
	if s.Role == stage.RoleSink && !a.Flag("quiet").On {
		a.Say(fmt.Sprintf("warning: the checks write tables and files to the target of sink %s and leave them there", s.Name))
	}
	r := &verdict{app: a, started: time.Now()}
	err = r.begin(d, s)
	for _, c := range checks {
		if err != nil || ctx.Err() != nil {
			break
		}
		err = r.run(ctx, c)
	}
	if bad := l.close(); err == nil && bad != nil {
		err = fmt.Errorf("stopping the plugin after the checks: %w", bad)
	}
	if err != nil {
		return err
	}
	return r.end(ctx, len(checks))
}

// chosen returns the checks whose IDs begin with one of the prefixes, or all checks if
// there are none.
func chosen(all []conformance.Check, prefixes []string) ([]conformance.Check, error) {
	if len(prefixes) == 0 {
		return all, nil
	}
	some := slices.DeleteFunc(slices.Clone(all), func(c conformance.Check) bool {
		return !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(c.ID, p) })
	})
	if len(some) == 0 {
		return nil, failure.New(failure.Usage, "no check begins with %s; --list shows them", strings.Join(prefixes, " or "))
	}
	return some, nil
}

// checks returns all checks of a plugin's stage.
func (l *lives) checks(p host.Program, s stage.Stage, settings any) []conformance.Check {
	config := func() (any, error) { return settings, nil } // opening a stage does not change it
	all := process.Checks(process.Subject{Path: p.Path, Args: p.Args, Env: p.Env, Stage: s, Config: config})
	return append(all, conformance.ForPlugin(conformance.Plugin{
		Stage: l.stage(s, p), Config: config, Env: stage.Env{Log: l.log, Workers: 4, Version: cli.Version()}, Process: l,
	})...)
}

func listChecks(a *cli.App, checks []conformance.Check) error {
	if a.Flag("json").On {
		type listed struct {
			ID  string `json:"id"`
			Why string `json:"why"`
		}
		all := []listed{}
		for _, c := range checks {
			all = append(all, listed{c.ID, c.Why})
		}
		return a.PrintJSON(all)
	}
	var rows [][]string
	for _, c := range checks {
		rows = append(rows, []string{c.ID, c.Why})
	}
	return a.Table(rows)
}

// tested finds the program to test, its description and its stage.
func tested(a *cli.App, ctx context.Context, name, stageName string) (p host.Program, d *host.Description, s stage.Stage, err error) {
	if p, err = testedProgram(a, ctx, name, &stageName); err != nil {
		return p, d, s, err
	}
	h, err := a.Hosted()
	if err != nil {
		return p, d, s, err
	}
	if d, err = h.Describe(ctx, p); err != nil {
		return p, d, s, err
	}
	var names []string
	for _, st := range d.Stages {
		names = append(names, st.Name)
		if st.Name == stageName || stageName == "" && len(d.Stages) == 1 {
			return p, d, st, nil
		}
	}
	if stageName == "" {
		return p, d, s, failure.New(failure.Usage, "plugin %s has several stages; choose one with --stage: %s", d.Name, strings.Join(names, ", "))
	}
	return p, d, s, failure.New(failure.Usage, "plugin %s has no stage %s; it has %s", d.Name, stageName, strings.Join(names, ", "))
}
