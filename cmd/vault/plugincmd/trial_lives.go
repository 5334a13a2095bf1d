package plugincmd

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
)

// lives creates a new host of a plugin each time a check kills the plugin's process. A
// host is not reused after that, because it would restart the process and repeat the call,
// and the check could not examine the state after the kill.
type lives struct {
	log    *slog.Logger
	config host.Config

	mu      sync.Mutex
	current *host.Host // nil before the first opening, and after close
}

// stalled is how long a plugin may show no progress while it is tested.
const stalled = time.Minute

func newLives(a *cli.App) (*lives, error) {
	w, err := a.Scratch()
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler) // hosts would log that the process was killed
	if a.Flag("verbose").On {
		log = a.Log
	}
	return &lives{log: log, config: host.Config{Log: log, Dir: w.Dir(), Version: cli.Version(), Stall: stalled}}, nil
}

// host returns the current host and creates one if there is none.
func (l *lives) host() *host.Host {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		l.current = host.New(l.config)
	}
	return l.current
}

// Kill implements the interface of package conformance.
func (l *lives) Kill() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil
	}
	err := errors.Join(l.current.Kill(), l.current.Close())
	l.current = nil
	return err
}

// close ends the plugin in the same way as the end of a command.
func (l *lives) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil
	}
	return l.current.Close()
}

// stage returns the plugin's stage, which opens in the process of the current host.
func (l *lives) stage(s stage.Stage, p host.Program) stage.Stage {
	return stage.Stage{
		Info:       s.Info,
		NewSource:  today(l, s, p, func(s stage.Stage) opening[stage.Source] { return s.NewSource }),
		NewSink:    today(l, s, p, func(s stage.Stage) opening[stage.Sink] { return s.NewSink }),
		NewRecord:  today(l, s, p, func(s stage.Stage) opening[stage.RecordTransform] { return s.NewRecord }),
		NewBytes:   today(l, s, p, func(s stage.Stage) opening[stage.ByteTransform] { return s.NewBytes }),
		NewAction:  today(l, s, p, func(s stage.Stage) opening[stage.Action] { return s.NewAction }),
		NewStorage: today(l, s, p, func(s stage.Stage) opening[stage.Storage] { return s.NewStorage }),
	}
}

type opening[T any] = func(ctx context.Context, cfg any, env stage.Env) (T, error)

func today[T any](l *lives, s stage.Stage, p host.Program, of func(stage.Stage) opening[T]) opening[T] {
	if of(s) == nil {
		return nil
	}
	return func(ctx context.Context, cfg any, env stage.Env) (T, error) {
		return of(l.host().Isolate(s, p))(ctx, cfg, env)
	}
}
