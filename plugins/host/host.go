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

// Config configures a Host.
type Config struct {
	Log     *slog.Logger
	Dir     string // private directory for sockets and temporary files; the caller creates and removes it
	Version string // version of Vault
	// Stall is how long a plugin may make no progress before it is terminated; 0 means no
	// limit. Only time that a call waits for the plugin counts. In operations that may take
	// hours (planning, beginning, the first event of a unit, its commit, building indexes)
	// the plugin makes progress as long as its process answers at all. Abort and Close are
	// limited to one minute.
	Stall time.Duration
	// Ending is closed when the caller was asked to stop and still has to abort in order.
	// From then on no call waits longer than 20 seconds and no program is restarted. It may
	// be nil.
	Ending <-chan struct{}
	// Start is how long a plugin may take to become ready; 0 means 20 seconds.
	Start time.Duration
}

// Program is the program of a plugin and how to run it.
type Program struct {
	Name string   // for messages
	Path string   // path of the file, or one that opens it
	Args []string // without the program name; visible to all users of the machine
	// SHA256 is the required SHA-256 of the file, in hex. It is checked before each start,
	// together with the requirement that nobody else can write the file or its directory.
	// On Linux the file that was checked is the one executed. "" disables the checks.
	SHA256 string
	Env    []string // names of environment variables to pass in addition to the usual ones
	// Group separates processes of one program: only stages of the same group share one.
	Group string
	// Stall overrides Config.Stall for this program; 0 means the host's.
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

// Host runs the plugins of one command. It is safe for concurrent use. Close terminates all
// processes.
type Host struct {
	Config
	folder folder

	mu        sync.Mutex
	processes map[string]*process
	ended     bool
	again     map[string]*restart // by key of the program
	errs      []error
}

// restart records that a program was restarted, for the user.
type restart struct {
	name, reason string
	times        int
}

// New returns a Host. Processes are started when they are first needed.
func New(c Config) *Host {
	return &Host{Config: c, folder: folder{dir: c.Dir}, processes: map[string]*process{}, again: map[string]*restart{}}
}

var errEnded = errors.New("the plugin host is closed")

func (h *Host) startTimeout() time.Duration { return cmp.Or(h.Start, 20*time.Second) }

// process returns the running process of a program. It starts one if none is running.
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
		return nil, fmt.Errorf("plugin %s has exited and is not restarted because the run is ending", p.Name)
	}
	if proc == nil || proc.over() {
		proc = newProcess(h, p, proc)
		h.processes[key] = proc
	}
	h.mu.Unlock()
	return proc, proc.start(ctx)
}

// restarted records that a program is restarted.
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

// Notes returns one sentence for each plugin that was restarted, with the number of times
// and the reason.
func (h *Host) Notes() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var notes []string
	for _, key := range slices.Sorted(maps.Keys(h.again)) {
		r := h.again[key]
		times := "once, because"
		if r.times > 1 {
			times = fmt.Sprintf("%d times, most recently because", r.times)
		}
		notes = append(notes, fmt.Sprintf("plugin %s was restarted %s it %s", r.name, times, r.reason))
	}
	return notes
}

// hurried reports whether the caller was asked to stop.
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

// keep records an error for Close to return.
func (h *Host) keep(err error) {
	if err == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errs = append(h.errs, err)
}

// Close terminates all processes, within three seconds whatever they do, and removes their
// files from Config.Dir.
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
