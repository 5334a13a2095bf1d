package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
)

// typemap is the transform that is added automatically between different dialects.
const typemap = "typemap"

// Build makes the stages of a pipeline. The caller must close the Job, even if its Run
// fails. If Build returns an error, it has closed all it made.
func Build(ctx context.Context, p *pipeline.Pipeline, stages Stages, env stage.Env, report progress.Reporter) (_ *run.Job, err error) {
	env.Workers = Workers(workersOf(p), p.Memory)
	j := &run.Job{
		Name: p.Name, Workers: env.Workers, DryRun: p.DryRun, Budget: p.Accept, MaxShrink: p.MaxShrink,
		TempDir: env.TempDir, Reporter: report, Apart: p.Apart, Notes: append(p.Expanded(), p.Exposed()...), Selection: p.Selection, Standing: p.Standing,
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.Close(ctx))
		}
	}()
	if err := addTransforms(ctx, &j.Transforms, p.Transform, env); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(p.Transform, func(s pipeline.Step) bool { return s.Stage.Name == typemap }) {
		t, err := defaultTypemap(ctx, stages, env)
		if err != nil {
			return nil, err
		}
		j.Transforms = append(j.Transforms, t)
	}
	for _, s := range p.Source {
		source, err := newSource(ctx, s, stages, env)
		if err != nil {
			return nil, at(s, err)
		}
		j.Origins = append(j.Origins, run.Origin{Name: s.Label(), Source: source, Database: slices.Contains(s.Stage.Parts, stage.DB)})
	}
	for _, s := range p.Sink {
		t, err := newTarget(ctx, s, p, env)
		if err != nil {
			return nil, at(s, err)
		}
		j.Targets = append(j.Targets, t)
		if err := addTransforms(ctx, &t.Transforms, s.Rows, env); err != nil {
			return nil, err
		}
	}
	j.LogDir.Path, j.LogDir.Required = p.Logs()
	var hidden config.Redactor
	hidden.Add(p.Hidden...)
	j.Redact = hidden.Redact
	for _, s := range slices.Concat(p.Before, p.After) {
		if err := derive(p, s.Config); err != nil {
			return nil, at(s, err)
		}
		a, err := s.Stage.NewAction(ctx, s.Config, env)
		if err != nil {
			return nil, at(s, err)
		}
		step := run.ActionStep{Name: s.Label(), Stage: s.Stage.Name, Moment: s.Moment(), Action: a}
		step.AfterSuccess = s.When == pipeline.WhenSuccess || s.When == pipeline.WhenAlways
		step.AfterFailure = s.When == pipeline.WhenFailure || s.When == pipeline.WhenAlways
		j.Actions = append(j.Actions, step)
	}
	return j, nil
}

// addTransforms makes the transforms of rows among steps and adds them to list, also those
// before one that fails.
func addTransforms(ctx context.Context, list *[]stage.RecordTransform, steps []pipeline.Step, env stage.Env) error {
	for _, s := range steps {
		if s.Stage.NewRecord == nil {
			continue
		}
		t, err := s.Stage.NewRecord(ctx, s.Config, env)
		if err != nil {
			return at(s, err)
		}
		*list = append(*list, t)
	}
	return nil
}

func workersOf(p *pipeline.Pipeline) int {
	if p.Workers > 0 {
		return p.Workers
	}
	return pipeline.DefaultWorkers()
}

func at(s pipeline.Step, err error) error { return fmt.Errorf("%s: %s: %w", s.At, s.Label(), err) }

func defaultTypemap(ctx context.Context, stages Stages, env stage.Env) (stage.RecordTransform, error) {
	s, ok := stages.Find(stage.RoleTransform, typemap)
	if !ok {
		return nil, failure.New(failure.Usage, "transform %s is not built in", typemap)
	}
	cfg := s.Config()
	if err := config.Defaults(cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", typemap, err)
	}
	return s.NewRecord(ctx, cfg, env)
}

func newSource(ctx context.Context, s pipeline.Step, stages Stages, env stage.Env) (stage.Source, error) {
	if s.From == nil {
		return s.Stage.NewSource(ctx, s.Config, env)
	}
	storage, err := s.Stage.NewStorage(ctx, s.Config, env)
	if err != nil {
		return nil, err
	}
	signers, err := s.From.Trusted()
	if err != nil {
		return nil, errors.Join(err, storage.Close(ctx))
	}
	keys := Keys{Stages: stages, Env: env, Passphrase: s.From.Passphrase, Identity: s.From.Identity, Signers: signers}
	return repository.NewSource(storage, repository.Choice{Snapshot: s.From.Snapshot, Site: s.From.Site, Pipeline: s.From.Pipeline}, keys.Chain()), nil
}

// newSeals makes the byte transforms for one repository. They hold its key, so each
// repository needs its own.
func newSeals(ctx context.Context, p *pipeline.Pipeline, env stage.Env) ([]keyring.Transform, error) {
	var seals []keyring.Transform
	for _, s := range p.Transform {
		if s.Stage.NewBytes == nil {
			continue
		}
		t, err := s.Stage.NewBytes(ctx, s.Config, env)
		if err != nil {
			return nil, at(s, err)
		}
		seals = append(seals, keyring.Transform{Name: s.Stage.Name, Bytes: t})
	}
	return seals, nil
}

func newTarget(ctx context.Context, s pipeline.Step, p *pipeline.Pipeline, env stage.Env) (*run.Target, error) {
	t := &run.Target{Name: s.Label(), Parts: s.Stage.Parts, Dialect: s.Stage.Dialect}
	if s.Stage.NewStorage == nil {
		sink, err := s.Stage.NewSink(ctx, s.Config, env)
		if err != nil {
			return nil, err
		}
		t.Sink = sink
		if s.Onto != nil {
			if t.Replace, err = stage.ParseReplace(s.Onto.Replace); err != nil {
				return nil, errors.Join(err, sink.Close(ctx))
			}
			t.Preserve = s.Onto.Preserve
		}
		if p.DryRun {
			t.Rehearse()
		}
		return t, nil
	}
	key, err := s.Into.Signing()
	if err != nil {
		return nil, err
	}
	seals, err := newSeals(ctx, p, env)
	if err != nil {
		return nil, err
	}
	storage, err := s.Stage.NewStorage(ctx, s.Config, env)
	if err != nil {
		return nil, err
	}
	if p.DryRun {
		dry := NewDryStorage(storage)
		storage, t.Room = dry, dry.room
	}
	t.Parts = nil // a repository holds everything
	t.Explain = func(err error) error { return noRepository(err, s.Where(), p.File) }
	t.Sink = repository.NewSink(storage, repository.SinkConfig{Transforms: seals, Create: s.Into.Create, SigningKey: key, Tags: p.Tags})
	return t, nil
}

// Destination opens the repository to copy snapshots to: the only storage among the sinks
// of the pipeline, written with the pipeline's byte transforms.
func Destination(ctx context.Context, p *pipeline.Pipeline, env stage.Env) (d repository.Destination, err error) {
	var found []pipeline.Step
	for _, s := range p.Sink {
		if s.Into != nil {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		return d, failure.New(failure.Usage, "pipeline %s has %d storages below sink; copying needs exactly one", p.File, len(found))
	}
	s := found[0]
	if d.Config.SigningKey, err = s.Into.Signing(); err != nil {
		return d, err
	}
	d.Config.Create = s.Into.Create
	if d.Config.Transforms, err = newSeals(ctx, p, env); err != nil {
		return d, err
	}
	if d.Storage, err = s.Stage.NewStorage(ctx, s.Config, env); err != nil {
		return d, at(s, err)
	}
	return d, nil
}

// RenewKeys creates a new key in every repository among the sinks of a pipeline, for the
// readers that its transforms name. It returns the locations of these repositories.
func RenewKeys(ctx context.Context, p *pipeline.Pipeline, env stage.Env) (renewed []string, err error) {
	for _, s := range p.Sink {
		if s.Into == nil {
			continue
		}
		seals, err := newSeals(ctx, p, env)
		if err != nil {
			return renewed, err
		}
		storage, err := s.Stage.NewStorage(ctx, s.Config, env)
		if err != nil {
			return renewed, at(s, err)
		}
		if err := repository.RenewKey(ctx, storage, seals); err != nil {
			return renewed, at(s, err)
		}
		renewed = append(renewed, s.Where())
	}
	if len(renewed) == 0 {
		return nil, failure.New(failure.Usage, "pipeline %s has no storage below sink, so there is no repository", p.File)
	}
	return renewed, nil
}

// noRepository adds remedies to an error about a missing repository.
func noRepository(err error, where, file string) error {
	if !errors.Is(err, repository.ErrNoRepository) {
		return err
	}
	return failure.New(failure.Refused, "%s: %w\n"+
		"if it should exist, check that the disk is mounted and the path is correct\n"+
		"to create it: vault init-repository %s (or create: true in the settings of this sink)", where, err, file)
}
