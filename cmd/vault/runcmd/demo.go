package runcmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/pipelines"
)

// NewDemo returns the command "demo".
func NewDemo(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Back up, restore and verify a sample site",
		Long: `Generate a small Moodle-like site (SQLite, filedir, data root) in a scratch folder, back
it up to a compressed and encrypted repository, restore it to a second folder, and
verify that it is the same. Needs no server. The folder is kept for inspection.`,
		Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := cmd.Flags().GetString("dir")
			if err != nil {
				return err
			}
			return demo(a, cmd.Context(), dir)
		},
	}
	cmd.Flags().String("dir", "", "the scratch folder, which must be empty or not exist (default: a new temporary folder)")
	return cmd
}

// demo runs the three pipelines of the demo in dir.
func demo(a *cli.App, ctx context.Context, dir string) error {
	if odd := config.Misreading(dir); odd != nil {
		return failure.New(failure.Usage, "--dir %s; %s", odd.Problem, odd.AdviceForArg())
	}
	dir, err := scratch(dir)
	if err == nil { // settings are relative to the pipeline's directory, flags to the working directory
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return err
	}
	for _, part := range []string{"site", "restored"} { // each gets a database and a data root
		if err := os.Mkdir(filepath.Join(dir, part), 0o700); err != nil {
			return err
		}
	}
	begun := time.Now()
	done := demoResult{Dir: dir, Runs: map[string]*run.Result{}}
	for _, name := range []string{"demo-site", "demo-backup", "demo-restore"} {
		if done.Runs[name], err = demoStep(a, ctx, name, dir); err != nil {
			a.Result = done
			return fmt.Errorf("%s (in %s): %w", name, dir, err)
		}
	}
	if a.Events != nil {
		a.Reporter.Report(progress.Event{Kind: progress.Done, Result: done})
		return nil
	}
	return demoReport(a, done, time.Since(begun))
}

// demoResult holds the results of a demo's runs, by the name of their pipelines.
type demoResult struct {
	Dir  string                 `json:"dir"`
	Runs map[string]*run.Result `json:"runs"`
}

// scratch creates the directory of the demo.
func scratch(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "vault-demo-")
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return "", failure.New(failure.Refused, "folder %s is not empty; choose another one with --dir", dir)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", failure.Wrap(failure.Refused, err)
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// demoStep runs a pipeline that is embedded in the program.
func demoStep(a *cli.App, ctx context.Context, name, dir string) (*run.Result, error) {
	file := name + ".yaml"
	text, err := pipelines.Files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	o, err := a.Options(ctx)
	if err != nil {
		return nil, err
	}
	o.Values = config.Values{Set: map[string]string{"dir": dir}, Env: demoEnvironment}
	p, found := pipeline.Parse("pipelines/"+file, text, o)
	if err := found.Err(); err != nil {
		return nil, err
	}
	return execute(a, ctx, p, true)
}

// demoPassphrase encrypts the demo's backup if no other passphrase is given.
const demoPassphrase = "only a demo"

func demoEnvironment(name string) (string, bool) {
	if value, ok := os.LookupEnv(name); ok || name != cli.PassphraseVariable {
		return value, ok
	}
	return demoPassphrase, true
}

// demoReport prints the results and the locations of the demo's files.
func demoReport(a *cli.App, done demoResult, took time.Duration) error {
	dir, restored := done.Dir, done.Runs["demo-restore"]
	var b strings.Builder
	cli.Proofs(&b, restored, true)
	for _, s := range done.Runs["demo-backup"].Stored {
		fmt.Fprintf(&b, "sizes:  site %s, backup %s, ratio %.1f\n", cli.Size(s.Plain), cli.Size(s.Stored), float64(s.Plain)/float64(max(1, s.Stored)))
	}
	fmt.Fprintf(&b, "time:   %s to generate, back up, restore and verify the site\n\n", took.Round(time.Millisecond))
	fmt.Fprintf(&b, "site           %s/site\nrepository     %s/repository\nrestored site  %s/restored\n\n", dir, dir, dir)
	fmt.Fprintf(&b, "try:  %s='%s' vault show %s/repository\n", cli.PassphraseVariable, demoPassphrase, dir)
	return a.Print(b.String())
}
