package host_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

func playedSource(t testing.TB, c *play) stage.Source {
	t.Helper()
	s, err := newHost(t).Isolate(played()[0], self(t)).NewSource(t.Context(), c, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// listener is a FileWriter that records its calls and may fail.
type listener struct {
	lines []string
	fail  error
	on    func(line string)
}

func (l *listener) note(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	l.lines = append(l.lines, line)
	if l.on != nil {
		l.on(line)
	}
	return l.fail
}

func (l *listener) Open(_ context.Context, e stage.Entry) error { return l.note("open %+v", e) }
func (l *listener) Write(_ context.Context, data []byte) error {
	return l.note("%s", chunkLine(data, 0))
}

// rowListener records rows.
type rowListener struct{ *listener }

func (l rowListener) Write(_ context.Context, c stage.Chunk) error {
	return l.note("%s", chunkLine(c.Data, c.Rows))
}

// read makes a source read a unit.
func read(ctx context.Context, s stage.Source, u stage.Unit, known stage.Baseline, l *listener) error {
	request := stage.ReadRequest{Unit: u, Baseline: known}
	if u.Part == stage.DB {
		return s.(stage.RowSource).ReadRows(ctx, request, rowListener{l})
	}
	return s.(stage.FileSource).ReadFiles(ctx, request, l)
}

func (l *listener) Close(_ context.Context, d stage.Digest) error { return l.note("close %+v", d) }
func (l *listener) Same(_ context.Context, e stage.Entry) error   { return l.note("same %+v", e) }
func (l *listener) Drop(context.Context) error                    { return l.note("drop") }
func (l *listener) Loss(_ context.Context, x stage.Loss) error    { return l.note("loss %+v", x) }

// A row of 64 MiB is passed on as a single chunk of its own.
func TestSourceLargeRow(t *testing.T) {
	s := playedSource(t, &play{Mode: "large row"})
	l := &listener{}
	if err := read(t.Context(), s, rowUnit, nil, l); err != nil {
		t.Fatal(err)
	}
	want := []string{
		chunkLine([]byte("1\n2\n"), 2), chunkLine(largeRow(), 1), chunkLine([]byte("3\n"), 1),
	}
	if !slices.Equal(l.lines, want) {
		t.Errorf("%q\n%q", l.lines, want)
	}
}

func chunkLine(data []byte, n int) string {
	return fmt.Sprintf("write %d %d %x", len(data), n, sha256.Sum256(data))
}

// An error of the host's writer is returned unchanged. In the plugin the source's writer
// returns a context error, and Close is called after the read.
func TestWriterErrorEndsRead(t *testing.T) {
	for _, mode := range []string{"endless", "deaf"} {
		diary := filepath.Join(t.TempDir(), "diary")
		s := playedSource(t, &play{Mode: mode, Diary: diary})
		full := errors.New("the target is full")
		if err := read(t.Context(), s, filesUnit, nil, &listener{fail: full}); err != full {
			t.Errorf("%s: %v", mode, err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := written(t, diary); len(got) != 2 || !strings.HasSuffix(got[0], "which is a context's: true") || got[1] != "closed" {
			t.Errorf("%s: in the plugin: %q", mode, got)
		}
	}
}

func TestCancelledReadEndsSource(t *testing.T) {
	diary := filepath.Join(t.TempDir(), "diary")
	s := playedSource(t, &play{Mode: "endless", Diary: diary})
	ctx, cancel := context.WithCancel(t.Context())
	l := &listener{on: func(line string) {
		if strings.HasPrefix(line, "write") {
			cancel()
		}
	}}
	if err := read(ctx, s, filesUnit, nil, l); !errors.Is(err, context.Canceled) || failure.Of(err) != failure.Interrupted {
		t.Errorf("%v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := written(t, diary); len(got) != 2 || !strings.HasSuffix(got[0], "which is a context's: true") {
		t.Errorf("in the plugin: %q", got)
	}
}

func TestSourceErrorKeepsClassAndKind(t *testing.T) {
	err := read(t.Context(), playedSource(t, &play{Mode: "error"}), rowUnit, nil, &listener{})
	if !errors.Is(err, stage.ErrCorrupt) || failure.Of(err) != failure.Unproven || err.Error() != errPlay.Error() {
		t.Errorf("read: %v, class %d", err, failure.Of(err))
	}
	_, err = playedSource(t, &play{Mode: "refused"}).Plan(t.Context(), stage.PlanRequest{})
	if !errors.Is(err, stage.ErrCorrupt) || failure.Of(err) != failure.Refused || !strings.HasPrefix(err.Error(), "the site is in maintenance") {
		t.Errorf("plan: %v, class %d", err, failure.Of(err))
	}
}

// A temporary error is recognized in this process, including its delay.
func TestSourceTemporaryError(t *testing.T) {
	err := read(t.Context(), playedSource(t, &play{Mode: "away"}), rowUnit, nil, &listener{})
	if after, ok := stage.IsTemporary(err); !ok || after != 5*time.Second || err.Error() != "the server restarts" {
		t.Errorf("%v: %v, %v", err, after, ok)
	}
}

// An interruption means that a user stopped the run; a plugin can't cause one.
func TestSourceCannotReportInterruption(t *testing.T) {
	err := read(t.Context(), playedSource(t, &play{Mode: "own timer"}), rowUnit, nil, &listener{})
	if err == nil || failure.Of(err) != failure.Failed || !strings.HasPrefix(err.Error(), "my own timer") {
		t.Errorf("%v, class %d", err, failure.Of(err))
	}
}

// A panic in a source is an error of its read; the process continues.
func TestSourcePanic(t *testing.T) {
	s := playedSource(t, &play{Mode: "panic"})
	for range 2 {
		err := read(t.Context(), s, rowUnit, nil, &listener{})
		if err == nil || !strings.Contains(err.Error(), "a bug in the source") {
			t.Errorf("%.200v", err)
		}
	}
	if _, err := s.Plan(t.Context(), stage.PlanRequest{}); err != nil {
		t.Error(err)
	}
}

func TestSourceProcessDies(t *testing.T) {
	s := playedSource(t, &play{Mode: "die"})
	err := read(t.Context(), s, rowUnit, nil, &listener{})
	if err == nil || !strings.Contains(err.Error(), "plugin test") || !strings.Contains(err.Error(), "kill") {
		t.Errorf("%v", err)
	}
	if err := read(t.Context(), s, filesUnit, nil, &listener{}); err == nil {
		t.Error("another process continues the read of a dead one without its plan")
	}
}

// A violation of the contract is an error that names the plugin and the unit, and is not
// passed on.
func TestSourceContractViolations(t *testing.T) {
	for mode, says := range map[string]string{
		"data before open": "without an open entry", "left open": "is closed", "wrong rows": "7 rows has 1", "files": "an event of files in a unit of rows",
		"a table": `unknown kind "table"`, "liar": "does not match the baseline",
	} {
		u := filesUnit
		if mode == "wrong rows" || mode == "files" {
			u = rowUnit
		}
		l := &listener{}
		err := read(t.Context(), playedSource(t, &play{Mode: mode}), u, stage.Baseline{odd.Path: "other"}, l)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "plugin test: unit "+u.ID) {
			t.Errorf("%s: %v", mode, err)
		}
		for _, line := range l.lines {
			if !strings.HasPrefix(line, "open") {
				t.Errorf("%s: %q was passed on", mode, line)
			}
		}
	}
	if _, err := playedSource(t, &play{Mode: "other part"}).Plan(t.Context(), stage.PlanRequest{}); err == nil || !strings.Contains(err.Error(), `part "filedir"`) {
		t.Errorf("a plan with an undeclared part: %v", err)
	}
}

func TestLossesAndBaselineOverProcess(t *testing.T) {
	l := &listener{}
	if err := read(t.Context(), playedSource(t, &play{Mode: "losses"}), filesUnit, stage.Baseline{odd.Path: odd.Fingerprint, "dataroot/other": "x"}, l); err != nil {
		t.Fatal(err)
	}
	want := []string{
		fmt.Sprintf("open %+v", odd), "drop",
		fmt.Sprintf("loss %+v", stage.Loss{Kind: stage.LossChanged, Path: odd.Path, Where: "byte \uFFFD", Reason: "it shrank", Count: 3}),
		fmt.Sprintf("same %+v", odd),
	}
	if !slices.Equal(l.lines, want) {
		t.Errorf("%q\n%q", l.lines, want)
	}
}

// A plan may have any size.
func TestLargePlan(t *testing.T) {
	inv, err := playedSource(t, &play{Mode: "many units", Count: 50_000}).Plan(t.Context(), stage.PlanRequest{})
	if err != nil || len(inv.Units) != 50_000 || inv.Units[49_999].ID != "dataroot/49999" {
		t.Errorf("%v", err)
	}
}

// nowhere is a FileWriter that discards everything.
type nowhere struct{ entries int }

func (n *nowhere) Open(context.Context, stage.Entry) error   { n.entries++; return nil }
func (n *nowhere) Write(context.Context, []byte) error       { return nil }
func (n *nowhere) Close(context.Context, stage.Digest) error { return nil }
func (n *nowhere) Same(context.Context, stage.Entry) error   { return nil }
func (n *nowhere) Drop(context.Context) error                { return nil }
func (n *nowhere) Loss(context.Context, stage.Loss) error    { return nil }

// rowNowhere is a RowWriter that discards everything.
type rowNowhere struct{}

func (rowNowhere) Write(context.Context, stage.Chunk) error { return nil }
func (rowNowhere) Loss(context.Context, stage.Loss) error   { return nil }

func BenchmarkSource(b *testing.B) {
	for mode, count := range map[string]int{"many": 100_000, "many files": 100_000, "chunks": 512} {
		s := playedSource(b, &play{Mode: mode, Count: count})
		unit := filesUnit
		if mode == "chunks" {
			unit = rowUnit
		}
		b.Run(mode, func(b *testing.B) {
			for b.Loop() {
				var err error
				if mode == "chunks" {
					err = s.(stage.RowSource).ReadRows(b.Context(), stage.ReadRequest{Unit: unit}, rowNowhere{})
				} else {
					err = s.(stage.FileSource).ReadFiles(b.Context(), stage.ReadRequest{Unit: unit}, &nowhere{})
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			each := b.Elapsed().Seconds() / float64(b.N) / float64(count)
			if mode == "chunks" {
				b.ReportMetric(1/each*1.048576, "MB/s")
			} else {
				b.ReportMetric(each*1e6, "µs/entry")
			}
		})
	}
}
