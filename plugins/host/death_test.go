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

// However a process ends, the error says it in plain words, names the plugin and
// the call, and shows what it said last.
func TestTheEndOfAProcessIsToldInPlainWords(t *testing.T) {
	for _, c := range []struct {
		do   string
		want []string
	}{
		{"panic", []string{"plugin test panicked in Source.Plan: a mistake in the stage"}},
		{"goroutine", []string{"plugin test exited with code 2 in Source.Plan", "its last lines:", "panic: a mistake elsewhere", "goroutine "}},
		{"exit", []string{"plugin test exited with code 3 in Source.Plan", "WARN this will not end well: disk is odd", "giving up"}},
		{"kill", []string{"plugin test was killed by signal 9 (perhaps out of memory) in Source.Plan"}},
		{"stop", []string{"plugin test showed no progress for 400ms in Source.Plan, and was ended"}},
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
			if log.count("a plugin is started again") > 0 {
				t.Error("a source is read again in another process")
			}
			log.loud(t)
		})
	}
}

// A call of a storage is repeated in a new process, for all callers in the same one.
func TestCallsOfAStorageAreRepeated(t *testing.T) {
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
				t.Error("it is still the same process")
			}
			if n := log.count("a plugin is started again"); n != 1 {
				t.Errorf("it was started again %d times, want once", n)
			}
			if e := log.find(t, "a plugin is started again"); e.level != slog.LevelWarn || e.attrs["plugin"] != "test" {
				t.Errorf("the log has it as %+v", e)
			}
			notes := h.Notes()
			if len(notes) != 1 || !strings.HasPrefix(notes[0], "plugin test was started again once, because it ") {
				t.Errorf("the notes are %q", notes)
			}
		})
	}
}

// A call that ends every process is given up.
func TestAStorageThatAlwaysFailsIsGivenUp(t *testing.T) {
	h, _ := rogueHost(t, time.Minute)
	s := mustOpen(t, h, self(t), rogueConfig{Do: "exit"})
	says(t, s.Put(t.Context(), "x", nil), "plugin test was started 5 times in this run", "it exited with code 3 in Storage.Put", "giving up")
	says(t, s.Put(t.Context(), "x", nil), "plugin test was started 5 times in this run", "it exited with code 3 in Storage.Put")
}

// So is a program that does not start, and why is said once.
func TestAProgramThatNeverStartsIsGivenUp(t *testing.T) {
	t.Setenv(early, "exit")
	h, _ := rogueHost(t, time.Minute)
	p := self(t)
	p.Env = []string{early}
	const why = "plugin test could not be started: it exited with code 7 before it said that it is ready"
	for range 5 {
		_, err := open(t, h, p, rogueConfig{})
		says(t, err, why)
	}
	for range 2 {
		_, err := open(t, h, p, rogueConfig{})
		says(t, err, "not tried again after 5 starts in this run: "+why)
		if n := strings.Count(err.Error(), "could not be started") + strings.Count(err.Error(), "its last lines"); n != 2 {
			t.Errorf("it says so more than once: %v", err)
		}
	}
}

// What a stage returns, and what the caller wants, is not the host's to change or repeat.
func TestAStagesOwnErrorsPassUnchanged(t *testing.T) {
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
	if first := ask(t, s, "pid"); first != ask(t, p, "pid") || log.count("a plugin is started again") > 0 {
		t.Error("an error or panic of one call ended the process for all")
	}
	if e := log.find(t, "a stage panicked"); e.level != slog.LevelError || !strings.Contains(e.attrs["stack"], "rogue_test.go") {
		t.Errorf("the log has the panic as %+v", e)
	}
}

// A call that is cancelled while its process ends is not made again.
func TestACancelledCallIsNotRepeated(t *testing.T) {
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
			<-time.After(time.Millisecond) // another look; Put never returns without it
		}
	}()
	if err := s.Put(ctx, "x", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if log.count("a plugin is started again") > 0 {
		t.Error("it was started again")
	}
}

// A call that may take hours is not taken for a hang while the process answers.
func TestALongCallIsNoHang(t *testing.T) {
	h, _ := rogueHost(t, 300*time.Millisecond)
	s, err := h.Isolate(rogueSource(), self(t)).NewSource(t.Context(), &rogueConfig{Do: "slow"}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Plan(t.Context(), stage.PlanRequest{}); err != nil {
		t.Error(err)
	}
}

// A source may need long for its first row, and not for the others.
func TestALongQueryIsNoHang(t *testing.T) {
	h, _ := rogueHost(t, 300*time.Millisecond)
	s, err := h.Isolate(played()[0], self(t)).NewSource(t.Context(), &play{Mode: "slow"}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{}
	says(t, read(t.Context(), s, rowUnit, nil, l), "plugin test showed no progress for 300ms in Source.Read, and was ended")
	if len(l.lines) != 1 {
		t.Errorf("%q came", l.lines)
	}
}

// A sink may need long to commit a unit, and not to take it.
func TestALongCommitIsNoHang(t *testing.T) {
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
	says(t, chunks(t.Context(), w, largeRow(), largeRow()), "plugin test showed no progress for 300ms in Sink.Unit, and was ended")
}

// A sink whose call never ends can't keep a run from ending.
func TestASinkThatCantBeEndedIsKilled(t *testing.T) {
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
	says(t, s.Abort(context.WithoutCancel(ctx)), "plugin test showed no progress for 300ms in Sink.Abort, and was ended")
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

// Time in which the plugin waits for its host is no hang of it.
func TestASlowHostIsNoHang(t *testing.T) {
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
func TestTheKeyIsGivenToTheNextProcess(t *testing.T) {
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
		t.Fatalf("%T has no key", made)
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
