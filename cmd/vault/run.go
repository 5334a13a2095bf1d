package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lmsvault/vault/core/cgroup"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
)

func newRun(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run PIPELINE",
		Short: "Run a pipeline: back up, restore or migrate",
		Long: `Run a pipeline: back up, restore or migrate. The run fails if anything is lost,
unless --accept-loss allows it. Everything that is written is read back and proven.`,
		Example: "  vault run pipelines/backup-local.yaml\n  vault run pipelines/restore-local.yaml --set snapshot=latest",
		Args:    takes("PIPELINE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.runnable(cmd, args[0])
			if err != nil {
				return err
			}
			result, err := a.run(cmd.Context(), p)
			if a.result = result; err == nil {
				a.reporter.Report(progress.Event{Kind: progress.Done, Result: result})
			}
			if a.flag("json").on {
				return err
			}
			if result != nil {
				err = errors.Join(err, a.printResult(result, err == nil))
			}
			return err
		},
	}
	pipelineFlags(cmd, true)
	return cmd
}

// run carries a pipeline out. The result is there also with an error, as far as
// the run came; nil if it didn't begin.
func (a *app) run(ctx context.Context, p *pipeline.Pipeline) (result *run.Result, err error) {
	err = a.withJob(ctx, p, func(job *run.Job) error {
		result, err = job.Run(ctx)
		result.Notes = append(append(result.Notes, lowered(p, job)...), append(a.restarts(), a.unshown()...)...)
		return err
	})
	return result, err
}

// beside is what the process takes beside what Go's runtime counts and has given
// back: the program's own pages, and memory that is freed but not yet returned.
// The runtime keeps three quarters of a small budget: with less it would only collect.
func beside(memory config.Size) int64 { return min(56<<20, int64(memory)/4) }

// lowered notes that fewer workers run than were asked for.
func lowered(p *pipeline.Pipeline, job *run.Job) []stage.Note {
	var notes []stage.Note
	if p.Workers > job.Workers {
		notes = append(notes, stage.Note{Path: "workers", Text: fmt.Sprintf("%d in place of %d: memory %s allows no more", job.Workers, p.Workers, p.Memory)})
	}
	if limit := cgroup.Memory("/"); limit > 0 && int64(p.Memory) > limit {
		notes = append(notes, stage.Note{Path: "memory", Text: fmt.Sprintf("it is %s, and this container or service may use %s: the system may kill the run", p.Memory, config.Size(limit))})
	}
	return notes
}

// restarts notes which processes of stages were started again.
func (a *app) restarts() []stage.Note {
	if a.host == nil {
		return nil
	}
	var notes []stage.Note
	for _, text := range a.host.Notes() {
		notes = append(notes, stage.Note{Path: "plugins", Text: text})
	}
	return notes
}

// withJob makes the stages of a pipeline, and ends them after do.
func (a *app) withJob(ctx context.Context, p *pipeline.Pipeline, do func(*run.Job) error) (err error) {
	debug.SetMemoryLimit(int64(p.Memory) - beside(p.Memory))
	signal.Ignore(syscall.SIGPIPE) // who reads the report may go; the run must still leave its targets in order
	scratch, err := a.scratch()
	if err != nil {
		return err
	}
	registry, err := a.working()
	if err != nil {
		return err
	}
	stages := finder{registry, a.plugins(ctx), p.Dir}
	job, err := engine.Build(ctx, p, stages, stage.Env{Log: a.log, TempDir: scratch.dir(), Workers: p.Workers, Version: version()}, a.reporter)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, job.Close(ctx)) }()
	a.logJob(p, job)
	return do(job)
}
