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

// lives are the hosts of a plugin that is killed by its checks. A host ends with
// the process that was killed: else it would start the next and repeat the call,
// and nobody saw what the first has left behind.
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
	log := slog.New(slog.DiscardHandler) // that it was killed is no news
	if a.Flag("verbose").On {
		log = a.Log
	}
	return &lives{log: log, config: host.Config{Log: log, Dir: w.Dir(), Version: cli.Version(), Stall: stalled}}, nil
}

// host is the one that works.
func (l *lives) host() *host.Host {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		l.current = host.New(l.config)
	}
	return l.current
}

// Kill is conformance's.
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

// close ends the plugin as the end of a command does.
func (l *lives) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil
	}
	return l.current.Close()
}

// stage is the plugin's stage as one that opens in the process of the day.
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
