package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/retry"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/sdk"
)

// early is an environment variable: what the plugin does before it serves.
const early = "TEST_EARLY"

// A dependency of a plugin may print when it is loaded.
var _ = func() bool {
	if os.Getenv(early) == "print" {
		fmt.Println("a library says hello")
		fmt.Println("1|2|3")
	}
	return true
}()

// mischief does what early says, other than printing.
func mischief() {
	switch os.Getenv(early) {
	case "exit":
		fmt.Fprintln(os.Stderr, "libfoo.so.3 is missing")
		os.Exit(7)
	case "hang":
		time.Sleep(time.Hour) // the runtime would report select {} as a deadlock
	case "leave":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
}

type rogueConfig struct {
	Do   string `key:"do" help:"what the stage does in Put"`
	When string `key:"when" help:"open or put"`
	Once string `key:"once" help:"a file: it does it only if that is not there"`
	File string `key:"file" help:"a file to write to"`
}

// rogue is a storage that does what its settings say.
type rogue struct {
	*rogueConfig
	log *slog.Logger
}

func rogueStage() sdk.Stage {
	return sdk.StorageStage("rogue", "Misbehaves.", "", func(ctx context.Context, c *rogueConfig, env sdk.Env) (sdk.Storage, error) {
		r := &rogue{c, env.Log}
		if c.When == "open" {
			return r, r.act(ctx)
		}
		return r, nil
	})
}

// rogueSource is a stage whose calls can't be repeated.
func rogueSource() sdk.Stage {
	return sdk.SourceStage("rogue-source", "Misbehaves.", "", []string{stage.DB}, func(_ context.Context, c *rogueConfig, env sdk.Env) (sdk.Source, error) {
		return &source{rogue{c, env.Log}}, nil
	})
}

type source struct{ rogue }

func (s *source) Plan(ctx context.Context, _ stage.PlanRequest) (*stage.Inventory, error) {
	return &stage.Inventory{}, s.act(ctx)
}

func (s *source) ReadRows(ctx context.Context, _ stage.ReadRequest, _ stage.RowWriter) error {
	return s.act(ctx)
}

func (r *rogue) act(ctx context.Context) error {
	if r.Once != "" {
		f, err := os.OpenFile(r.Once, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, os.ErrExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	switch r.Do {
	case "panic":
		panic("a mistake in the stage")
	case "goroutine":
		go func() { panic("a mistake elsewhere") }()
		time.Sleep(time.Hour) // the runtime would report select {} as a deadlock
	case "exit":
		r.log.Warn("this will not end well", "error", "disk is odd")
		fmt.Fprintln(os.Stderr, "\x1b[31mgiving up\x1b[0m")
		os.Exit(3)
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		time.Sleep(time.Hour) // the runtime would report select {} as a deadlock
	case "hang":
		time.Sleep(time.Hour) // the runtime would report select {} as a deadlock
	case "stop":
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		time.Sleep(time.Hour) // the runtime would report select {} as a deadlock
	case "stop-later":
		defer time.AfterFunc(50*time.Millisecond, func() { syscall.Kill(os.Getpid(), syscall.SIGSTOP) })
	case "slow":
		<-time.After(900 * time.Millisecond)
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	case "talk":
		r.log.Debug("a detail")
		r.log.Info("a step", "n", 5, slog.Group("where", "table", "user"))
		r.log.Warn("a doubt", "time", "noon", "level", "high")
		r.log.Error("a failure", "error", errors.New("no space"))
		fmt.Println("printed")
		fmt.Fprintln(os.Stderr, "printed as error")
		fmt.Fprintln(os.Stderr, "WARN: printed with level")
	case "long-line":
		os.Stderr.Write(bytes.Repeat([]byte("x"), 10<<20))
		fmt.Fprintln(os.Stderr)
		os.Stdout.Write(bytes.Repeat([]byte("y"), 10<<20))
		fmt.Println()
		r.log.Warn("after", "huge", strings.Repeat("z", 1<<20))
	case "flood":
		for range 20_000 {
			fmt.Fprintln(os.Stderr, "one line of very many that nobody will ever want to read at all")
		}
	case "family":
		cmd := exec.Command("sleep", "1000")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			return err
		}
		return os.WriteFile(r.File, []byte(fmt.Sprintf("%d %d", os.Getpid(), cmd.Process.Pid)), 0o600)
	case "busy":
		return fmt.Errorf("object x: %w", sdk.Temporary(errors.New("too many requests"), 1500*time.Millisecond))
	case "litter":
		_, err := os.CreateTemp("", "litter")
		return err
	}
	return nil
}

func (r *rogue) Put(ctx context.Context, _ string, _ []byte) error { return r.act(ctx) }

// Get returns properties of the process.
func (r *rogue) Get(_ context.Context, dst []byte, name string, _, _ int64) ([]byte, error) {
	switch name {
	case "pid":
		return strconv.AppendInt(dst, int64(os.Getpid()), 10), nil
	case "environment":
		return append(dst, strings.Join(os.Environ(), "\n")...), nil
	case "command":
		return append(dst, strings.Join(os.Args, "\n")...), nil
	}
	return dst, fmt.Errorf("object %s: %w", name, stage.ErrNotExist)
}

func (r *rogue) List(_ context.Context, _ string, fn func(stage.Object) error) error {
	return fn(stage.Object{Name: "one", Size: 1})
}

func (r *rogue) Limits() sdk.Limits { return sdk.Limits{Connections: 7} }

func (r *rogue) Delete(context.Context, string) error { return nil }
func (r *rogue) Close(context.Context) error          { return nil }

func (r *rogue) Stat(context.Context, string) (stage.Object, error) {
	return stage.Object{}, nil
}

// open opens a rogue storage in a process of p, with retries as for every storage of a run.
func open(t testing.TB, h *host.Host, p host.Program, c rogueConfig) (stage.Storage, error) {
	t.Helper()
	s, err := h.Isolate(rogueStage(), p).NewStorage(t.Context(), &c, stage.Env{})
	if err != nil {
		return nil, err
	}
	return retry.New(s), nil
}

func mustOpen(t testing.TB, h *host.Host, p host.Program, c rogueConfig) stage.Storage {
	t.Helper()
	s, err := open(t, h, p, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask returns a property of the process.
func ask(t testing.TB, s stage.Storage, what string) string {
	t.Helper()
	got, err := s.Get(t.Context(), nil, what, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// rogueHost returns a host with short timeouts, and its log.
func rogueHost(t testing.TB, stall time.Duration) (*host.Host, *journal) {
	j := newJournal()
	h := host.New(host.Config{Log: slog.New(j), Dir: t.TempDir(), Version: "1.0.0", Stall: stall})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h, j
}

// says fails unless err contains all parts, in this order.
func says(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", parts)
	}
	rest := err.Error()
	for _, p := range parts {
		_, after, ok := strings.Cut(rest, p)
		if !ok {
			t.Fatalf("the error lacks %q in this order:\n%v", p, err)
		}
		rest = after
	}
	for _, raw := range []string{"rpc error", "Unrecognized remote plugin", "plugin exited before", "API version", "\x1b"} {
		if strings.Contains(err.Error(), raw) {
			t.Errorf("the error contains library text %q:\n%v", raw, err)
		}
	}
}

func alive(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !errors.Is(err, os.ErrNotExist)
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

// gone fails unless the processes end in time.
func gone(t testing.TB, limit time.Duration, pids ...int) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is still running", pid)
			}
			<-time.After(5 * time.Millisecond) // the deadline is above
		}
	}
}

// empty fails if the directory contains anything.
func empty(t testing.TB, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		t.Errorf("%s remains", e.Name())
	}
}
