package host

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Config is what a Host works with.
type Config struct {
	Log     *slog.Logger
	Dir     string // a private folder for sockets and temporary files, made and removed by the caller
	Version string // of vault
	// Stall is how long a plugin may show no progress before it is ended.
	Stall time.Duration
}

// Program is a plugin's program and how it is run.
type Program struct {
	Name   string   // for messages
	Path   string   // of the file, or a path that opens it
	Args   []string // without the name
	SHA256 string   // of the file in hex, checked before it is run; "" for none
	Env    []string // names of environment variables that it gets beside the usual ones
	// Group tells apart processes of one program: stages of one group share a process.
	Group string
	Stall time.Duration // how long it may show no progress; 0: the host's
}

func (p Program) key() string {
	key := p.Group + "\x00" + p.Path + "\x00" + p.SHA256 + "\x00" + p.Stall.String()
	for _, list := range [][]string{p.Args, p.Env} {
		key += "\x00"
		for _, s := range list {
			key += "\x01" + s
		}
	}
	return key
}

// Host runs the plugins of one command. It is safe for concurrent use; Close
// ends all processes.
type Host struct {
	Config

	mu        sync.Mutex
	processes map[string]*process
	ended     bool
}

// New makes a Host. Processes are started when they are needed.
func New(c Config) *Host { return &Host{Config: c, processes: map[string]*process{}} }

var errEnded = errors.New("the host of plugins has ended")

// process returns the running process of a program, starting it if there is none
// or if the one before has exited.
func (h *Host) process(ctx context.Context, p Program) (*process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	if h.ended {
		h.mu.Unlock()
		return nil, errEnded
	}
	key := p.key()
	proc := h.processes[key]
	if proc == nil || proc.exited() {
		proc = newProcess(h, p, proc)
		h.processes[key] = proc
	}
	h.mu.Unlock()
	if err := proc.start(ctx); err != nil {
		return nil, err
	}
	return proc, nil
}

// Close ends all processes.
func (h *Host) Close() error {
	h.mu.Lock()
	h.ended = true
	all := h.processes
	h.processes = nil
	h.mu.Unlock()
	var wg sync.WaitGroup
	errs := make(chan error, len(all))
	for _, p := range all {
		wg.Go(func() { errs <- p.stop() })
	}
	wg.Wait()
	close(errs)
	var joined []error
	for err := range errs {
		joined = append(joined, err)
	}
	return errors.Join(joined...)
}
