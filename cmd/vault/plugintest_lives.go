package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
)

// lives are the hosts of a plugin that is killed by its checks: each host sees it
// killed once. One host for all would rightly give it up after some times.
type lives struct {
	log    *slog.Logger
	config host.Config

	mu      sync.Mutex
	current *host.Host // nil before the first opening, and after close
	killed  bool       // current's process was
}

// stalled is how long a plugin may show no progress while it is tested.
const stalled = time.Minute

func (a *app) newLives() (*lives, error) {
	w, err := a.scratch()
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler) // that it was killed is no news
	if a.flag("verbose").on {
		log = a.log
	}
	return &lives{log: log, config: host.Config{Log: log, Dir: w.dir(), Version: version(), Stall: stalled}}, nil
}

// host is the one that works.
func (l *lives) host() (*host.Host, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if l.killed {
		err = l.closeLocked()
	}
	if l.current == nil {
		l.current = host.New(l.config)
	}
	return l.current, err
}

// Kill is conformance's.
func (l *lives) Kill() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil
	}
	l.killed = true
	return l.current.Kill()
}

func (l *lives) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closeLocked()
}

func (l *lives) closeLocked() error {
	if l.current == nil {
		return nil
	}
	err := l.current.Close()
	l.current, l.killed = nil, false
	return err
}

// stage is the plugin's stage as one that opens in the process of the day.
func (l *lives) stage(s stage.Stage, p host.Program) stage.Stage {
	return stage.Stage{
		Info:       s.Info,
		NewSource:  today(l, s, p, func(s stage.Stage) opening[stage.Source] { return s.NewSource }),
		NewSink:    today(l, s, p, func(s stage.Stage) opening[stage.Sink] { return s.NewSink }),
		NewRecord:  today(l, s, p, func(s stage.Stage) opening[stage.RecordTransform] { return s.NewRecord }),
		NewBytes:   today(l, s, p, func(s stage.Stage) opening[stage.ByteTransform] { return s.NewBytes }),
		NewStorage: today(l, s, p, func(s stage.Stage) opening[stage.Storage] { return s.NewStorage }),
	}
}

type opening[T any] = func(ctx context.Context, cfg any, env stage.Env) (T, error)

func today[T any](l *lives, s stage.Stage, p host.Program, of func(stage.Stage) opening[T]) opening[T] {
	if of(s) == nil {
		return nil
	}
	return func(ctx context.Context, cfg any, env stage.Env) (opened T, err error) {
		h, err := l.host()
		if err != nil {
			return opened, errors.Join(errors.New("ending the process before"), err)
		}
		return of(h.Isolate(s, p))(ctx, cfg, env)
	}
}
