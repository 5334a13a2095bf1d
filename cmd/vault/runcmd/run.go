package runcmd

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/cgroup"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
)

// NewRun returns the command "run".
func NewRun(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run PIPELINE",
		Short: "Run a pipeline: back up, restore or migrate",
		Long: `Run a pipeline: back up, restore or migrate. The run fails if anything is lost,
unless --accept-loss allows it. Everything that is written is read back and verified.`,
		Example: "  vault run pipelines/backup-local.yaml\n  vault run pipelines/restore-local.yaml --set snapshot=latest",
		Args:    cli.Takes("PIPELINE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.Runnable(cmd, args[0])
			if err != nil {
				return err
			}
			yes, err := cmd.Flags().GetBool("yes")
			if err != nil {
				return err
			}
			result, err := Execute(cmd.Context(), a, p, How{Yes: yes, Again: cli.Repeated(cmd, args[0], p)})
			if a.Result = result; err == nil {
				a.Reporter.Report(progress.Event{Kind: progress.Done, Result: result})
			}
			if a.Flag("json").On {
				return err
			}
			if result != nil {
				err = errors.Join(err, a.PrintResult(result, err == nil || failure.Of(err) == failure.Afterwards))
			}
			return err
		},
	}
	cli.PipelineFlags(cmd, true)
	cmd.Flags().Bool("yes", false, "confirm what the run would ask for, such as which site it replaces; for scripts")
	return cmd
}

// How is how a pipeline is run.
type How struct {
	Yes bool // confirm what actions ask for
	// Again returns the command line that repeats the run, for its log; nil if there is none.
	Again func(run.Again) string
}

// Execute runs a pipeline. After an error, the result covers the completed part of the
// run; it is nil if the run did not begin.
func Execute(ctx context.Context, a *cli.App, p *pipeline.Pipeline, how How) (result *run.Result, err error) {
	err = withJob(a, ctx, p, func(job *run.Job) error {
		job.Command, job.Redact = how.Again, a.Hidden.Redact
		job.Confirm = func(ctx context.Context, _, text string) error { return a.Confirm(ctx, text, how.Yes) }
		result, err = job.Run(ctx)
		result.Notes = append(append(result.Notes, lowered(p, job)...), append(restarts(a), a.Unshown()...)...)
		return err
	})
	return result, err
}

// lowered returns a note if fewer workers run than requested.
func lowered(p *pipeline.Pipeline, job *run.Job) []stage.Note {
	var notes []stage.Note
	if p.Workers > job.Workers {
		notes = append(notes, stage.Note{Path: "workers", Text: fmt.Sprintf("reduced to %d (from %d) by the memory limit of %s", job.Workers, p.Workers, p.Memory)})
	}
	if limit := cgroup.Memory("/"); limit > 0 && int64(p.Memory) > limit {
		notes = append(notes, stage.Note{Path: "memory", Text: fmt.Sprintf("the limit is %s, but this container or service may use only %s; the system may kill the run", p.Memory, config.Size(limit))})
	}
	return notes
}

// restarts returns notes about the processes of stages that were restarted.
func restarts(a *cli.App) []stage.Note {
	if a.Host == nil {
		return nil
	}
	var notes []stage.Note
	for _, text := range a.Host.Notes() {
		notes = append(notes, stage.Note{Path: "plugins", Text: text})
	}
	return notes
}

// withJob creates the stages of a pipeline, calls do and closes them.
func withJob(a *cli.App, ctx context.Context, p *pipeline.Pipeline, do func(*run.Job) error) (err error) {
	debug.SetMemoryLimit(int64(p.Memory) - cli.Beside(p.Memory))
	signal.Ignore(syscall.SIGPIPE) // if the reader of the report exits, the run must still abort its targets
	scratch, err := a.Scratch()
	if err != nil {
		return err
	}
	registry, err := a.Working()
	if err != nil {
		return err
	}
	stages := cli.Finder{Registry: registry, Plugins: a.Plugins(ctx), Base: p.Dir}
	job, err := engine.Build(ctx, p, stages, stage.Env{Log: a.Log, TempDir: scratch.Dir(), Workers: p.Workers, Version: cli.Version()}, a.Reporter)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, job.Close(ctx)) }()
	a.LogJob(p, job)
	return do(job)
}
