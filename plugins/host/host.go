package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Config is what a Host works with.
type Config struct {
	Log     *slog.Logger
	Dir     string // a private folder for sockets and temporary files, made and removed by the caller
	Version string // of vault
	// Stall is how long a plugin may show no progress before it is ended; 0 for ever.
	// Only the time that a call waits for the plugin counts. What may take hours
	// (planning, beginning, a unit's first event, its commit, building indexes) has
	// progress as long as the process answers at all; Abort and Close may take a
	// minute at most.
	Stall time.Duration
	// Ending is closed when the caller was asked to end, and has yet to give up in
	// order: then no call waits for longer than 20 seconds, and no program is
	// started again. nil: never.
	Ending <-chan struct{}
	// Start is how long a plugin may take until it is ready; 0 for 20 seconds.
	Start time.Duration
}

// Program is a plugin's program and how it is run.
type Program struct {
	Name string   // for messages
	Path string   // of the file, or a path that opens it
	Args []string // without the name; everyone on the machine can see them
	// SHA256 is the digest that the file must have, in hex. It is then checked
	// before each start, as is that nobody else can write the file or its folder,
	// and on Linux what was checked is what runs. "" for no check.
	SHA256 string
	Env    []string // names of environment variables that it gets beside the usual ones
	// Group tells apart processes of one program: stages of one group share a process.
	Group string
	// Stall is Config.Stall of this program alone; 0: the host's.
	Stall time.Duration
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
	folder folder

	mu        sync.Mutex
	processes map[string]*process
	ended     bool
	again     map[string]*restart // by the program's key
	errs      []error
}

// restart is what a user should know of a program that was started again.
type restart struct {
	name, reason string
	times        int
}

// New makes a Host. Processes are started when they are needed.
func New(c Config) *Host {
	return &Host{Config: c, folder: folder{dir: c.Dir}, processes: map[string]*process{}, again: map[string]*restart{}}
}

var errEnded = errors.New("the host of plugins has ended")

func (h *Host) startTimeout() time.Duration { return cmp.Or(h.Start, 20*time.Second) }

// process returns the running process of a program, starting it if there is none
// or if the one before has ended.
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
	if proc != nil && h.hurried() && proc.over() {
		h.mu.Unlock()
		return nil, fmt.Errorf("plugin %s has ended, and is not started again as the run is ending", p.Name)
	}
	if proc == nil || proc.over() {
		proc = newProcess(h, p, proc)
		h.processes[key] = proc
	}
	h.mu.Unlock()
	return proc, proc.start(ctx)
}

// restarted remembers that a program is started again.
func (h *Host) restarted(p Program, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.again[p.key()]
	if r == nil {
		r = &restart{name: p.Name}
		h.again[p.key()] = r
	}
	r.reason = reason
	r.times++
}

// Notes tells what a user should know of the plugins although the run went on:
// which were started again, how often and why. One sentence each.
func (h *Host) Notes() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var notes []string
	for _, key := range slices.Sorted(maps.Keys(h.again)) {
		r := h.again[key]
		times := "once, because"
		if r.times > 1 {
			times = fmt.Sprintf("%d times, at last because", r.times)
		}
		notes = append(notes, fmt.Sprintf("plugin %s was started again %s it %s", r.name, times, r.reason))
	}
	return notes
}

// hurried tells whether the caller was asked to end.
func (h *Host) hurried() bool {
	select {
	case <-h.Ending:
		return true
	default:
		return false
	}
}

func (h *Host) hasEnded() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// keep keeps an error for Close.
func (h *Host) keep(err error) {
	if err == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errs = append(h.errs, err)
}

// Close ends all processes, within three seconds whatever they do, and removes
// what they left in Config.Dir.
func (h *Host) Close() error {
	h.mu.Lock()
	h.ended = true
	all := h.processes
	h.processes = nil
	h.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() { h.keep(p.stop()) })
	}
	wg.Wait()
	h.keep(h.folder.close())
	h.mu.Lock()
	defer h.mu.Unlock()
	errs := h.errs
	h.errs = nil
	return errors.Join(errs...)
}
