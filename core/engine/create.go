package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// Created reports what CreateRepositories did for one sink.
type Created struct {
	Storage   string `json:"storage"` // name of the stage
	Where     string `json:"where"`
	Encrypted bool   `json:"encrypted"`
	Existed   bool   `json:"existed,omitempty"` // it existed already and was not changed
}

// CreateRepositories creates a repository in every storage that is a sink of the pipeline,
// with a key of its transforms. Existing repositories are not changed. On an error, the
// repositories created so far are returned too.
func CreateRepositories(ctx context.Context, p *pipeline.Pipeline, env stage.Env) ([]Created, error) {
	var made []Created
	for _, s := range p.Sink {
		if s.Into == nil {
			continue
		}
		c := Created{Storage: s.Stage.Name, Where: s.Where(), Encrypted: slices.ContainsFunc(p.Transform, func(t pipeline.Step) bool { return t.Stage.Seals })}
		seals, err := newSeals(ctx, p, env)
		if err != nil {
			return made, err
		}
		storage, err := s.Stage.NewStorage(ctx, s.Config, env)
		if err != nil {
			return made, at(s, err)
		}
		err = repository.Create(ctx, storage, repository.Creation{Transforms: seals})
		if c.Existed = errors.Is(err, repository.ErrRepositoryExists); err != nil && !c.Existed {
			return made, at(s, err)
		}
		made = append(made, c)
	}
	return made, nil
}
