package run

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

func away(after time.Duration) error {
	return stage.Temporary(errors.New("the connection was lost"), after)
}

// A unit that fails temporarily is retried: everything arrives once, also in targets
// that had it already, and the result notes the retry.
func TestUnitIsRetried(t *testing.T) {
	for name, spoil := range map[string]func(*memory, *target){
		"reading rows":  func(m *memory, _ *target) { m.trouble.errs = map[string][]error{"db/user#1": {away(0), away(0)}} },
		"reading files": func(m *memory, _ *target) { m.trouble.errs = map[string][]error{"filedir/all": {away(0)}} },
		"committing rows": func(_ *memory, s *target) {
			s.trouble.errs = map[string][]error{"db/user#1": {away(0), away(0), away(0), away(0)}}
		},
		"committing files": func(_ *memory, s *target) { s.trouble.errs = map[string][]error{"filedir/all": {away(0)}} },
	} {
		t.Run(name, func(t *testing.T) {
			source, first, second := site(), &target{}, &target{}
			source.tables["files"] = append(source.tables["files"], "2\t"+absent)
			source.misfit = map[string]int64{"db/user#1": 1}
			spoil(source, second)
			j := job(t, source, first, second)
			j.firstPause = time.Millisecond
			j.Budget = map[stage.LossKind]int64{stage.LossMissing: 1, stage.LossRow: 1}
			r, err := j.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []*target{first, second} {
				slices.Sort(s.tables["user"])
				if !slices.Equal(s.tables["user"], []string{"1\ta", "2\tb", "3\tc"}) || s.files["filedir/0a/4d/"+present] != "hello" || len(s.files) != 1 {
					t.Errorf("a sink has %q and %q", s.tables, s.files)
				}
			}
			if r.Counts.Rows != 5 || r.Counts.Files != 1 || len(r.Losses) != 2 {
				t.Errorf("counts %+v, losses %+v", r.Counts, r.Losses)
			}
			if len(r.Notes) == 0 || !strings.Contains(r.Notes[0].Text, "attempt 1 failed and was retried") || !strings.Contains(r.Notes[0].Text, "the connection was lost") {
				t.Errorf("notes %+v", r.Notes)
			}
		})
	}
}

// A unit that keeps failing fails after a number of attempts, with pauses that grow,
// vary and are at least as long as requested.
func TestAttemptsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := site()
		source.trouble.errs = map[string][]error{"filedir/all": slices.Repeat([]error{away(0)}, 99)}
		begun := time.Now()
		_, err := job(t, source, &target{}).Run(t.Context())
		if failure.Of(err) != failure.Failed || !strings.Contains(err.Error(), "failed after 5 attempts: memory: filedir/all: the connection was lost") {
			t.Errorf("the error is %v", err)
		}
		if took := time.Since(begun); took < 7500*time.Millisecond || took > 22500*time.Millisecond {
			t.Errorf("four pauses took %v", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		source := site()
		source.trouble.errs = map[string][]error{"filedir/all": {away(time.Hour)}}
		begun := time.Now()
		if _, err := job(t, source, &target{}).Run(t.Context()); err != nil || time.Since(begun) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// A permanent error, and any error of a stopped run, ends the run immediately.
func TestPermanentErrorsEndTheRun(t *testing.T) {
	source := site()
	source.trouble.errs = map[string][]error{"filedir/all": {errors.New("the disk is full")}}
	if _, err := job(t, source, &target{}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "memory: filedir/all: the disk is full") {
		t.Errorf("the error is %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		source := site()
		source.trouble.errs = map[string][]error{"filedir/all": {away(time.Hour)}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		if _, err := job(t, source, &target{}).Run(ctx); failure.Of(err) != failure.Interrupted || time.Since(begun) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// without is a transform that drops rows that contain a text, and miscounts on
// demand.
type without struct {
	text string
	more int
}

func (w without) Table(_ context.Context, t schema.Table, _ string) (stage.Mapped, error) {
	return stage.Mapped{From: t, Schema: t, Rewrite: true}, nil
}

func (w without) Rows(_ context.Context, _ stage.Mapped, dst []byte, c stage.Chunk) ([]byte, int, error) {
	kept := w.more
	for row := range bytes.Lines(c.Data) {
		if !bytes.Contains(row, []byte(w.text)) {
			dst = append(dst, row...)
			kept++
		}
	}
	return dst, kept, nil
}

// Rows that a transform drops are counted; they are neither a loss nor rejected, and
// the target proves the others. A chunk that becomes empty is not written.
func TestDroppedRowsAreCounted(t *testing.T) {
	source, s := site(), &target{refuse: "3\tc"}
	j := job(t, source, s)
	j.Transforms = []stage.RecordTransform{without{text: "2\tb"}}
	j.Budget = map[stage.LossKind]int64{stage.LossRow: 1}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Tables, func(x TableResult) bool { return x.Table == "user" })
	if got := r.Tables[i]; got.Rows != 1 || got.Dropped != 1 || got.Refused != 1 || !slices.Equal(s.tables["user"], []string{"1\ta"}) {
		t.Errorf("%+v; the sink has %q", got, s.tables["user"])
	}
	if s.outcome.Dropped["user"] != 1 || len(s.outcome.Dropped) != 1 {
		t.Errorf("the sink got %v", s.outcome.Dropped)
	}
	if !slices.ContainsFunc(r.Notes, func(n stage.Note) bool {
		return n.Path == "db/user" && n.Text == "1 rows were dropped by a transform"
	}) {
		t.Errorf("notes %+v", r.Notes)
	}
}

// A transform that miscounts or adds rows ends the run.
func TestMiscountingTransformIsDetected(t *testing.T) {
	for more, want := range map[int]string{-1: "a transform reported 0 rows, but returned 1", 1: "a transform returned 2 rows for 1, but must not add rows"} {
		j := job(t, site(), &target{})
		j.Transforms = []stage.RecordTransform{without{text: "nothing", more: more}}
		if _, err := j.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
}

// A target that reports another number of rows than it was given fails the run.
func TestReceiptIsCompared(t *testing.T) {
	s := &target{swallow: "2\tb", swallowTold: true}
	if _, err := job(t, site(), s).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "the sink reports 1 rows of table user, but was given 2") {
		t.Errorf("the error is %v", err)
	}
}
