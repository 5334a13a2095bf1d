package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// playedSink opens the sink and returns the path of its diary.
func playedSink(t testing.TB, c *play) (stage.Sink, string) {
	t.Helper()
	c.Diary = filepath.Join(t.TempDir(), "diary")
	s, err := newHost(t).Isolate(played()[1], self(t)).NewSink(t.Context(), c, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, c.Diary
}

func begun(t testing.TB, s stage.Sink, u stage.Unit) stage.RowUnit {
	t.Helper()
	w, err := s.(stage.RowSink).WriteRows(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func chunks(ctx context.Context, w stage.RowWriter, all ...[]byte) error {
	for _, data := range all {
		if err := w.Write(ctx, stage.Chunk{Data: data, Rows: strings.Count(string(data), "\n")}); err != nil {
			return err
		}
	}
	return nil
}

// commit commits a unit and ignores the receipt.
func commit(ctx context.Context, w stage.Ending) error {
	_, err := w.Commit(ctx)
	return err
}

func TestSinkRun(t *testing.T) {
	s, diary := playedSink(t, &play{Token: config.NewSecret("canary-of-notes")})
	plan := &stage.Plan{Pipeline: "p", Facts: map[string]string{"site_name": "caf\xe9"}, Tables: []stage.TableInfo{{Schema: playTable()}}}
	found, err := s.Check(t.Context(), plan)
	if want := (stage.Findings{Losses: []stage.Loss{stage.LostIndex("t", "i", "too long")}, Notes: []stage.Note{{Path: "t\xff", Text: "noted"}}}); err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("check: %v, %v", found, err)
	}
	if err := s.Begin(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	w := begun(t, s, rowUnit)
	if err := chunks(t.Context(), w, []byte("1\n2\n"), largeRow()); err != nil {
		t.Fatal(err)
	}
	receipt, err := w.Commit(t.Context())
	if want := (&stage.Receipt{Rows: 3, Files: 2, Bytes: 1, State: []byte{0xff, 0}}); err != nil || !reflect.DeepEqual(receipt, want) {
		t.Fatalf("%v, %v", receipt, err)
	}
	if err := w.Abort(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Finish(t.Context(), &stage.Outcome{Tables: []stage.TableProof{{Schema: playTable()}}, Facts: map[string]string{"engine": "MariaDB"}}); err != nil {
		t.Fatal(err)
	}
	proofs, err := s.Prove(t.Context())
	want := []stage.TableProof{{Schema: playTable(), Sum: rows.Sum{Rows: 3, Hi: 1 << 63, Lo: 5}, Losses: []stage.Loss{stage.LostIndex("t", "", "double")}}}
	if err != nil || !reflect.DeepEqual(proofs, want) {
		t.Errorf("%+v, %v", proofs, err)
	}
	if err := s.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	notes, err := s.(stage.Noter).Notes(t.Context())
	if err != nil || !slices.Equal(notes, []stage.Note{{Path: "db/t", Text: "the old one stays: ***"}}) {
		t.Errorf("notes are %q, %v", notes, err)
	}
	for range 2 {
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lines := []string{
		`begin p "caf\xe9" 1`, `unit "db/t\xff" "\x00\xff"`, chunkLine([]byte("1\n2\n"), 2), chunkLine(largeRow(), 1),
		"commit", "finish 1 MariaDB", "publish", "close",
	}
	if got := written(t, diary); !slices.Equal(got, lines) {
		t.Errorf("in the plugin:\n%q\n%q", got, lines)
	}
}

// Steps of a sink are reported in this process, each once and with its end, even if the
// plugin never ends them, and without secrets or control characters.
func TestSinkStepsAreReported(t *testing.T) {
	s, _ := playedSink(t, &play{Token: config.NewSecret("canary-of-steps")})
	var reported []string
	var mu sync.Mutex
	report := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		reported = append(reported, line)
	}
	ctx := stage.WithSteps(t.Context(), func(text string) func() {
		report(text)
		return func() { report("end of " + text) }
	})
	if err := s.Finish(ctx, &stage.Outcome{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prove(ctx); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"building index a of ***", "end of building index a of ***", "building index b [31m", "end of building index b [31m",
		"reading back t", "end of reading back t",
	}
	if !slices.Equal(reported, want) {
		t.Errorf("steps are %q", reported)
	}
}

// The reply of a Commit may be lost without the sink noticing. The repeated unit is not
// written twice, and has the same receipt.
func TestUnitWithLostReceiptIsStoredOnce(t *testing.T) {
	s, diary := playedSink(t, &play{Mode: "late commit"})
	if err := syscall.Mkfifo(diary+".pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w := begun(t, s, rowUnit)
	if err := chunks(ctx, w, []byte("1\n2\n")); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() { result <- commit(ctx, w) }()
	held, err := os.OpenFile(diary+".pipe", os.O_WRONLY, 0) // when the plugin is in its Commit
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Fatalf("abandoned commit: %v", err)
	}
	if err := w.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := begun(t, s, rowUnit)
	if err := chunks(t.Context(), again, []byte("1\n2\n")); err != nil {
		t.Fatal(err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	receipt, err := again.Commit(t.Context())
	if err != nil || receipt.Rows != 3 || string(receipt.State) != "\xff\x00" {
		t.Errorf("the second time: %+v, %v", receipt, err)
	}
	if got, want := written(t, diary), []string{`unit "db/t\xff" "\x00\xff"`, chunkLine([]byte("1\n2\n"), 2), "commit"}; !slices.Equal(got, want) {
		t.Errorf("in the plugin:\n%q\n%q", got, want)
	}
}

// Rows refused by the target are returned in full; the proof is computed without them.
func TestRefusedRowsAreReturned(t *testing.T) {
	s, _ := playedSink(t, &play{Mode: "refuses"})
	w := begun(t, s, rowUnit)
	if err := chunks(t.Context(), w, []byte("1\n")); err != nil {
		t.Fatal(err)
	}
	got, err := w.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := (&playUnit{s: &playSink{play: &play{Mode: "refuses", Diary: filepath.Join(t.TempDir(), "diary")}}}).Commit(t.Context())
	if err != nil || len(want.Losses) != 4 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %d refused rows, want %d, or they differ (%v)", len(got.Losses), len(want.Losses), err)
	}
}

// An error of the plugin is returned by a later call or by Commit. A failed unit never
// counts as committed.
func TestSinkErrorIsReturnedByLaterCall(t *testing.T) {
	for mode, says := range map[string]string{"full": errPlay.Error(), "no unit": "no more units: " + errPlay.Error(), "no commit": errPlay.Error()} {
		s, diary := playedSink(t, &play{Mode: mode})
		w := begun(t, s, rowUnit)
		err := chunks(t.Context(), w, []byte("1\n"))
		if err == nil {
			err = commit(t.Context(), w)
		}
		class := failure.Refused
		if mode == "full" {
			class = failure.Unproven
		}
		if err == nil || err.Error() != says || !errors.Is(err, stage.ErrCorrupt) || failure.Of(err) != class {
			t.Errorf("%s: %v, class %d", mode, err, failure.Of(err))
		}
		for range 2 {
			if err := w.Abort(t.Context()); err != nil {
				t.Errorf("%s: abort: %v", mode, err)
			}
		}
		if again := commit(t.Context(), w); again == nil {
			t.Errorf("%s: a failed unit is committed", mode)
		}
		if err := s.Abort(t.Context()); err != nil {
			t.Error(err)
		}
		got := written(t, diary)
		if slices.Contains(got, "commit") || mode != "no unit" && !slices.Contains(got, "abort unit") || got[len(got)-1] != "abort" {
			t.Errorf("%s: in the plugin: %q", mode, got)
		}
	}
}

func TestUnitAbort(t *testing.T) {
	s, diary := playedSink(t, &play{})
	w := begun(t, s, rowUnit)
	if err := chunks(t.Context(), w, []byte("1\n")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Abort(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if got := written(t, diary); got[len(got)-1] != "abort unit" {
		t.Errorf("in the plugin after Abort: %q", got)
	}
	s, _ = playedSink(t, &play{Mode: "abort fails"})
	if err := begun(t, s, rowUnit).Abort(t.Context()); !errors.Is(err, stage.ErrCorrupt) {
		t.Errorf("failing abort of a unit: %v", err)
	}
}

// A hanging sink does not delay a cancelled run, and later calls reach the plugin after the
// unit.
func TestCancelledRunDoesNotWaitForSink(t *testing.T) {
	s, diary := playedSink(t, &play{Mode: "hang"})
	ctx, cancel := context.WithCancel(t.Context())
	w, err := s.(stage.RowSink).WriteRows(ctx, rowUnit)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, cancel)
	for err == nil { // until the connection is blocked
		err = chunks(ctx, w, largeRow())
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := w.Abort(context.Background()); err != nil {
		t.Error(err)
	}
	if err := s.Abort(ctx); err != nil {
		t.Errorf("after the run was cancelled: %v", err)
	}
	got := written(t, diary)
	if len(got) < 2 || !slices.Equal(got[len(got)-2:], []string{"abort unit", "abort"}) {
		t.Errorf("in the plugin: %q", got)
	}
}

func TestHangingSinkIsAborted(t *testing.T) {
	s, diary := playedSink(t, &play{Mode: "hang"})
	w := begun(t, s, rowUnit)
	if err := chunks(t.Context(), w, []byte("1\n")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Abort(t.Context()), s.Abort(t.Context())); err != nil {
		t.Error(err)
	}
	if got := written(t, diary); !slices.Equal(got[len(got)-2:], []string{"abort unit", "abort"}) {
		t.Errorf("in the plugin: %q", got)
	}
}

func TestSinkPanic(t *testing.T) {
	s, diary := playedSink(t, &play{Mode: "panic"})
	w := begun(t, s, rowUnit)
	err := chunks(t.Context(), w, []byte("1\n"))
	if err == nil {
		err = commit(t.Context(), w)
	}
	if err == nil || !strings.Contains(err.Error(), "a bug in the sink") {
		t.Errorf("%.200v", err)
	}
	if err := errors.Join(w.Abort(t.Context()), s.Abort(t.Context())); err != nil {
		t.Error(err)
	}
	if got := written(t, diary); slices.Contains(got, "commit") || !slices.Contains(got, "abort unit") {
		t.Errorf("in the plugin: %q", got)
	}
}

// A Commit without a reply is not a commit.
func TestSinkProcessDies(t *testing.T) {
	for _, mode := range []string{"die", "die in commit"} {
		s, _ := playedSink(t, &play{Mode: mode})
		w := begun(t, s, rowUnit)
		err := chunks(t.Context(), w, []byte("1\n"))
		if err == nil {
			err = commit(t.Context(), w)
		}
		if err == nil || !strings.Contains(err.Error(), "plugin test") || !strings.Contains(err.Error(), "kill") {
			t.Errorf("%s: %v", mode, err)
		}
		if err := w.Abort(t.Context()); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		if err := s.Finish(t.Context(), &stage.Outcome{}); err == nil {
			t.Errorf("%s: another process finishes the run of a dead one", mode)
		}
		if err := s.Abort(t.Context()); err == nil {
			t.Errorf("%s: Abort reports no error although the target could not be marked", mode)
		}
	}
}

// A run that is cancelled during Publish waits for its result. Otherwise it would abort a
// published target.
func TestPublishIsNotCutOff(t *testing.T) {
	s, diary := playedSink(t, &play{Mode: "wait in publish"})
	if err := syscall.Mkfifo(diary+".pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Publish(ctx) }()
	pipe, err := os.OpenFile(diary+".pipe", os.O_WRONLY, 0) // waits until Publish is running
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := errors.Join(pipe.Close(), <-ended); err != nil {
		t.Error(err)
	}
	if got := written(t, diary); !slices.Equal(got, []string{"publish"}) {
		t.Errorf("in the plugin: %q", got)
	}
	if err := s.Publish(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("started after the run was cancelled: %v", err)
	}
}

func TestPublishWithoutReplyMayBeDone(t *testing.T) {
	s, _ := playedSink(t, &play{Mode: "die in publish"})
	if err := s.Publish(t.Context()); err == nil || !strings.Contains(err.Error(), "may already be published") {
		t.Errorf("%v", err)
	}
}

func TestSinkErrorClassesAndCancelledCalls(t *testing.T) {
	s, _ := playedSink(t, &play{Mode: "refused"})
	if _, err := s.Check(t.Context(), &stage.Plan{}); failure.Of(err) != failure.Refused || !errors.Is(err, stage.ErrCorrupt) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Check(ctx, &stage.Plan{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	bad := &stage.Plan{Tables: []stage.TableInfo{{Schema: schema.Table{Name: "caf\xe9"}}}}
	if err := s.Begin(t.Context(), bad); err == nil || !strings.Contains(err.Error(), `caf\xe9`) {
		t.Errorf("a name that is not UTF-8: %v", err)
	}
}

// Only a sink that has a baseline is a BaselineSink.
func TestSinkBaseline(t *testing.T) {
	s, _ := playedSink(t, &play{})
	if _, ok := s.(stage.BaselineSink); ok {
		t.Error("a sink without a baseline is a BaselineSink")
	}
	made, err := newHost(t).Isolate(played()[2], self(t)).NewSink(t.Context(), &play{Diary: filepath.Join(t.TempDir(), "diary")}, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	k := made.(stage.BaselineSink)
	known := func(id string) string {
		got, err := k.Baseline(t.Context(), stage.Unit{ID: id, Part: stage.Dataroot})
		return fmt.Sprintf("%q %v %v", got, got == nil, err)
	}
	for id, want := range map[string]string{
		"dataroot/none": "map[] true <nil>", "dataroot/empty": "map[] false <nil>", "dataroot/error": "map[] true " + errPlay.Error(),
		"dataroot/all": `map["dataroot/caf\xe9":"1:2"] false <nil>`,
	} {
		if got := known(id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	if err := made.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func BenchmarkSink(b *testing.B) {
	s, _ := playedSink(b, &play{Mode: "mute"})
	chunk := []byte(strings.Repeat("a row of some bytes\n", 1<<20/20))
	b.Run("chunks", func(b *testing.B) {
		b.SetBytes(int64(512 * len(chunk)))
		for b.Loop() {
			w := begun(b, s, rowUnit)
			for range 512 {
				if err := w.Write(b.Context(), stage.Chunk{Data: chunk, Rows: len(chunk) / 20}); err != nil {
					b.Fatal(err)
				}
			}
			if err := commit(b.Context(), w); err != nil {
				b.Fatal(err)
			}
		}
	})
}
