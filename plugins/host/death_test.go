package host_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/encrypt"
)

// The error names the plugin and the call, says how the process ended, and shows its last
// output.
func TestProcessEndIsExplained(t *testing.T) {
	for _, c := range []struct {
		do   string
		want []string
	}{
		{"panic", []string{"plugin test panicked in Source.Plan: a mistake in the stage"}},
		{"goroutine", []string{"plugin test exited with code 2 in Source.Plan", "its last lines:", "panic: a mistake elsewhere", "goroutine "}},
		{"exit", []string{"plugin test exited with code 3 in Source.Plan", "WARN this will not end well: disk is odd", "giving up"}},
		{"kill", []string{"plugin test was killed by signal 9 (perhaps out of memory) in Source.Plan"}},
		{"stop", []string{"plugin test showed no progress for 400ms in Source.Plan and was terminated"}},
	} {
		t.Run(c.do, func(t *testing.T) {
			h, log := rogueHost(t, 400*time.Millisecond)
			s, err := h.Isolate(rogueSource(), self(t)).NewSource(t.Context(), &rogueConfig{Do: c.do}, stage.Env{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Plan(t.Context(), stage.PlanRequest{})
			says(t, err, c.want...)
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if log.count("restarting a plugin") > 0 {
				t.Error("the source was opened again in another process")
			}
			log.loud(t)
		})
	}
}

// A call of a storage is repeated in a new process, the same one for all callers.
func TestStorageCallsAreRepeated(t *testing.T) {
	for _, do := range []string{"goroutine", "exit", "kill", "hang", "stop"} {
		t.Run(do, func(t *testing.T) {
			h, log := rogueHost(t, 400*time.Millisecond)
			s := mustOpen(t, h, self(t), rogueConfig{Do: do, Once: filepath.Join(t.TempDir(), "once")})
			first := ask(t, s, "pid")
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					if err := s.Put(t.Context(), "x", []byte("x")); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if ask(t, s, "pid") == first {
				t.Error("still the same process")
			}
			if n := log.count("restarting a plugin"); n != 1 {
				t.Errorf("restarted %d times, want once", n)
			}
			if e := log.find(t, "restarting a plugin"); e.level != slog.LevelWarn || e.attrs["plugin"] != "test" {
				t.Errorf("log entry is %+v", e)
			}
			notes := h.Notes()
			if len(notes) != 1 || !strings.HasPrefix(notes[0], "plugin test was restarted once, because it ") {
				t.Errorf("notes are %q", notes)
			}
		})
	}
}

// A call that terminates every process fails in the end.
func TestRestartsAreLimited(t *testing.T) {
	h, _ := rogueHost(t, time.Minute)
	s := mustOpen(t, h, self(t), rogueConfig{Do: "exit"})
	says(t, s.Put(t.Context(), "x", nil), "plugin test was started 5 times in this run", "it exited with code 3 in Storage.Put", "giving up")
	says(t, s.Put(t.Context(), "x", nil), "plugin test was started 5 times in this run", "it exited with code 3 in Storage.Put")
}

// So does a program that never starts; the reason is given once.
func TestFailingStartsAreLimited(t *testing.T) {
	t.Setenv(early, "exit")
	h, _ := rogueHost(t, time.Minute)
	p := self(t)
	p.Env = []string{early}
	const why = "plugin test could not be started: it exited with code 7 before it was ready"
	for range 5 {
		_, err := open(t, h, p, rogueConfig{})
		says(t, err, why)
	}
	for range 2 {
		_, err := open(t, h, p, rogueConfig{})
		says(t, err, "gave up after 5 starts in this run: "+why)
		if n := strings.Count(err.Error(), "could not be started") + strings.Count(err.Error(), "its last lines"); n != 2 {
			t.Errorf("the reason is repeated: %v", err)
		}
	}
}

// The host does not change or retry errors returned by a stage or caused by the caller.
func TestStageErrorsPassUnchanged(t *testing.T) {
	h, log := rogueHost(t, time.Minute)
	s := mustOpen(t, h, self(t), rogueConfig{Do: "wait"})
	_, err := s.Get(t.Context(), nil, "nothing", 0, -1)
	if !errors.Is(err, stage.ErrNotExist) || err.Error() != "object nothing: does not exist" {
		t.Errorf("the error is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := s.Put(ctx, "x", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("the error of a cancelled call is %v", err)
	}
	p := mustOpen(t, h, self(t), rogueConfig{Do: "panic"})
	says(t, p.Put(t.Context(), "x", nil), "plugin test panicked in Storage.Put: a mistake in the stage")
	if first := ask(t, s, "pid"); first != ask(t, p, "pid") || log.count("restarting a plugin") > 0 {
		t.Error("an error or panic in one call ended the process")
	}
	if e := log.find(t, "a stage panicked"); e.level != slog.LevelError || !strings.Contains(e.attrs["stack"], "rogue_test.go") {
		t.Errorf("log entry of the panic is %+v", e)
	}
}

// A call that is cancelled while its process ends is not repeated.
func TestCancelledCallIsNotRepeated(t *testing.T) {
	h, log := rogueHost(t, time.Minute)
	once := filepath.Join(t.TempDir(), "once")
	s := mustOpen(t, h, self(t), rogueConfig{Do: "stop", Once: once})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(once); err == nil {
				cancel()
				return
			}
			<-time.After(time.Millisecond) // Put never returns without it
		}
	}()
	if err := s.Put(ctx, "x", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if log.count("restarting a plugin") > 0 {
		t.Error("the plugin was restarted")
	}
}

// A call that may take hours is not a hang while the process answers.
func TestLongCallIsNotAHang(t *testing.T) {
	h, _ := rogueHost(t, 300*time.Millisecond)
	s, err := h.Isolate(rogueSource(), self(t)).NewSource(t.Context(), &rogueConfig{Do: "slow"}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Plan(t.Context(), stage.PlanRequest{}); err != nil {
		t.Error(err)
	}
}

// A source may take long for its first row, but not for later ones.
func TestLongQueryIsNotAHang(t *testing.T) {
	h, _ := rogueHost(t, 300*time.Millisecond)
	s, err := h.Isolate(played()[0], self(t)).NewSource(t.Context(), &play{Mode: "slow"}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{}
	says(t, read(t.Context(), s, rowUnit, nil, l), "plugin test showed no progress for 300ms in Source.Read and was terminated")
	if len(l.lines) != 1 {
		t.Errorf("got %q", l.lines)
	}
}

// A sink may take long to commit a unit, but not to receive it.
func TestLongCommitIsNotAHang(t *testing.T) {
	h, _ := rogueHost(t, 300*time.Millisecond)
	open := func(mode string) stage.Sink {
		s, err := h.Isolate(played()[1], self(t)).NewSink(t.Context(), &play{Mode: mode, Diary: filepath.Join(t.TempDir(), "diary")}, stage.Env{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w := begun(t, open("slow commit"), rowUnit)
	if err := errors.Join(chunks(t.Context(), w, []byte("1\n")), commit(t.Context(), w)); err != nil {
		t.Error(err)
	}
	w = begun(t, open("hang"), rowUnit)
	says(t, chunks(t.Context(), w, largeRow(), largeRow()), "plugin test showed no progress for 300ms in Sink.Unit and was terminated")
}

// A sink whose call never returns can't keep a run from ending.
func TestHangingSinkIsKilled(t *testing.T) {
	h, _ := rogueHost(t, 300*time.Millisecond)
	s, err := h.Isolate(played()[1], self(t)).NewSink(t.Context(), &play{Mode: "deaf", Diary: filepath.Join(t.TempDir(), "diary")}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w, err := s.(stage.RowSink).WriteRows(ctx, rowUnit)
	if err != nil {
		t.Fatal(err)
	}
	row := append(bytes.Repeat([]byte("x"), 1<<20), '\n')
	if err := chunks(ctx, w, row, row); err != nil { // the first has left the host by then
		t.Fatal(err)
	}
	cancel()
	if err := w.Abort(ctx); err != nil {
		t.Error(err)
	}
	says(t, s.Abort(context.WithoutCancel(ctx)), "plugin test showed no progress for 300ms in Sink.Abort and was terminated")
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

// Time in which the plugin waits for its host is not a hang.
func TestSlowHostIsNotAHang(t *testing.T) {
	h, _ := rogueHost(t, 200*time.Millisecond)
	s := mustOpen(t, h, self(t), rogueConfig{})
	listed := 0
	err := s.List(t.Context(), "", func(stage.Object) error {
		listed++
		<-time.After(500 * time.Millisecond)
		return nil
	})
	if err != nil || listed != 1 {
		t.Errorf("%d objects, %v", listed, err)
	}
}

// A keyed transform gets its key in the next process too.
func TestKeyIsPassedToNextProcess(t *testing.T) {
	h, _ := rogueHost(t, time.Minute)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	c := &encrypt.Config{Recipients: []string{identity.Recipient().String()}, Identity: config.NewSecret(identity.String())}
	made, err := h.Isolate(encrypt.Stage(), self(t)).NewBytes(t.Context(), c, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	sealing, ok := made.(stage.Keyed)
	if !ok {
		t.Fatalf("%T is not Keyed", made)
	}
	if _, err := sealing.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	sealed, err := sealing.Apply(t.Context(), nil, []byte("content"), "name")
	if err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, h, self(t), rogueConfig{Do: "kill", Once: filepath.Join(t.TempDir(), "once")})
	if err := r.Put(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	clear, err := sealing.Invert(t.Context(), nil, sealed, "name", 100)
	if err != nil || string(clear) != "content" {
		t.Errorf("got %q, %v", clear, err)
	}
}
