package run

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

const (
	present = "0a4d55a8d778e5022fab701977c5d840bbc486d0"
	absent  = "da4b9237bacccdf19c0760cab7aec4a8359010b0"
)

func job(t *testing.T, source *memory, sinks ...*target) *Job {
	t.Helper()
	j := &Job{Name: "test", Origins: []Origin{{Name: "memory", Source: source, Database: true}}, Workers: 3, TempDir: t.TempDir(), Reporter: progress.Silent{}}
	for _, s := range sinks {
		j.Targets = append(j.Targets, &Target{Name: "target", Sink: s, Parts: []string{stage.DB, stage.Filedir}, Dialect: "memory"})
	}
	t.Cleanup(func() {
		if err := j.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return j
}

func site() *memory {
	return &memory{
		tables: map[string][]string{"user": {"1\ta", "2\tb", "3\tc"}, "files": {"1\t" + present}, "empty": nil},
		files:  map[string]string{"0a/4d/" + present: "hello"},
	}
}

// Every sink of a pipeline gets everything it can hold and proves it.
func TestAllSinksGetAndProveEverything(t *testing.T) {
	a, b := &target{}, &target{}
	r, err := job(t, site(), a, b).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*target{a, b} {
		slices.Sort(s.tables["user"])
		if !slices.Equal(s.tables["user"], []string{"1\ta", "2\tb", "3\tc"}) || s.files["filedir/0a/4d/"+present] != "hello" {
			t.Errorf("a sink has %q and %q", s.tables, s.files)
		}
		if want := []string{"check", "begin", "finish", "prove", "publish"}; !slices.Equal(s.calls, want) {
			t.Errorf("the calls were %v, want %v", s.calls, want)
		}
	}
	if len(r.Tables) != 6 || r.Counts.Rows != 4 || r.Counts.Files != 1 {
		t.Errorf("the result has %d proofs, %d rows, %d files", len(r.Tables), r.Counts.Rows, r.Counts.Files)
	}
}

// The proof detects a row that the target silently loses, and the target is marked as
// incomplete.
func TestLostRowFailsProof(t *testing.T) {
	s := &target{swallow: "\tb"}
	_, err := job(t, site(), s).Run(t.Context())
	if failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "table user: 3 rows were sent, but the target has 2") {
		t.Errorf("the error is %v", err)
	}
	if s.calls[len(s.calls)-1] != "abort" {
		t.Errorf("the calls were %v: the target is not marked", s.calls)
	}
}

// The proof detects a changed value even if every row is there.
func TestChangedValueFailsProof(t *testing.T) {
	s := &target{spoil: "\tb"}
	_, err := job(t, site(), s).Run(t.Context())
	if failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "table user: the target has all 3 rows, but not all values are as sent") {
		t.Errorf("the error is %v", err)
	}
	if s.calls[len(s.calls)-1] != "abort" {
		t.Errorf("the calls were %v: the target is not marked", s.calls)
	}
}

// A rejected row is identified, counted and held against the budget; if accepted, the
// other rows are still proven.
func TestRejectedRowsCountAgainstBudget(t *testing.T) {
	s := &target{refuse: "\tb"}
	_, err := job(t, site(), s).Run(t.Context())
	if s.calls[len(s.calls)-1] != "abort" {
		t.Errorf("the calls were %v: the target is not marked", s.calls)
	}
	if failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "row db/user (id=2): no") || !strings.Contains(err.Error(), "--accept-loss row=1") {
		t.Errorf("the error is %v", err)
	}
	j := job(t, site(), &target{refuse: "\tb"})
	j.Budget = map[stage.LossKind]int64{stage.LossRow: 1}
	r, err := j.Run(t.Context())
	if err != nil || len(r.Losses) != 1 || r.Losses[0].Where != "id=2" {
		t.Errorf("accepted: %v, losses %v", err, r.Losses)
	}
	j = job(t, site(), &target{refuse: "\tb", swallow: "\tc"})
	j.Budget = map[stage.LossKind]int64{stage.LossRow: 1}
	if _, err := j.Run(t.Context()); failure.Of(err) != failure.Unproven {
		t.Errorf("a rejected row hides a lost one: %v", err)
	}
}

// An index that the target reports as not built is a loss, not a fault of the proof;
// one that is silently missing is a fault.
func TestIndexThatCannotBeBuiltIsLoss(t *testing.T) {
	indexed := func() *memory {
		m := site()
		user := m.structure("user")
		user.Indexes = []schema.Index{{Name: "a", Columns: []schema.IndexColumn{{Name: "id"}}}, {Name: "b", Columns: []schema.IndexColumn{{Name: "contenthash"}}}}
		m.schema = map[string]schema.Table{"user": user}
		return m
	}
	_, err := job(t, indexed(), &target{unbuilt: "b"}).Run(t.Context())
	if failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "index db/user (index b): a row is too large for it") {
		t.Errorf("the error is %v", err)
	}
	accept := map[stage.LossKind]int64{stage.LossIndex: 1}
	j := job(t, indexed(), &target{unbuilt: "b"})
	j.Budget = accept
	r, err := j.Run(t.Context())
	if err != nil || len(r.Losses) != 1 || r.Losses[0].Where != "index b" {
		t.Errorf("accepted: %v, losses %v", err, r.Losses)
	}
	j = job(t, indexed(), &target{unbuilt: "b", silent: true})
	j.Budget = accept
	if _, err := j.Run(t.Context()); failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "missing index on contenthash") {
		t.Errorf("silently missing: %v", err)
	}
}

// Losses known before anything is written stop the run there.
func TestKnownLossesStopRunBeforeWriting(t *testing.T) {
	source, s := site(), &target{}
	source.losses = []stage.Loss{{Kind: stage.LossView, Path: "db/report", Reason: "a view", Count: 1}}
	r, err := job(t, source, s).Run(t.Context())
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "view db/report: a view") {
		t.Errorf("the error is %v", err)
	}
	if slices.Contains(s.calls, "begin") {
		t.Errorf("the sink was begun: %v", s.calls)
	}
	if len(r.Losses) != 1 {
		t.Errorf("the result names %v", r.Losses)
	}
}

// Every content that the table files refers to is delivered or listed as missing.
func TestMissingContentsAreListed(t *testing.T) {
	source := site()
	source.tables["files"] = append(source.tables["files"], "2\t"+absent)
	_, err := job(t, source, &target{}).Run(t.Context())
	if failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "missing_file filedir/da/4b/"+absent) {
		t.Errorf("the error is %v", err)
	}
}

// A content that could not be read is one loss and is not also missing.
func TestUnreadableContentIsOneLoss(t *testing.T) {
	source := site()
	source.tables["files"] = append(source.tables["files"], "2\t"+absent)
	source.unreadable = "filedir/da/4b/" + absent
	_, err := job(t, source, &target{}).Run(t.Context())
	if failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "unreadable_file filedir/da/4b/"+absent) || strings.Contains(err.Error(), "missing_file") {
		t.Errorf("the error is %v", err)
	}
	j := job(t, source, &target{})
	j.Budget = map[stage.LossKind]int64{stage.LossUnreadable: 1}
	if r, err := j.Run(t.Context()); err != nil || len(r.Losses) != 1 || len(r.Notes) != 0 {
		t.Errorf("accepted: %v, losses %v, notes %v", err, r.Losses, r.Notes)
	}
}

// A failing source ends the run, and every begun target is aborted.
func TestFailedUnitAbortsAllTargets(t *testing.T) {
	source := site()
	source.fail = "db/user#1"
	a, b := &target{}, &target{}
	_, err := job(t, source, a, b).Run(t.Context())
	if failure.Of(err) != failure.Failed || !strings.Contains(err.Error(), "memory: db/user#1: the server has gone away") {
		t.Errorf("the error is %v", err)
	}
	for _, s := range []*target{a, b} {
		if s.calls[len(s.calls)-1] != "abort" || s.finished {
			t.Errorf("the calls were %v", s.calls)
		}
	}
}

// Rows that differ from what a snapshot lists are found before the target is
// finished.
func TestSnapshotWithOtherRowsIsDetected(t *testing.T) {
	source, s := site(), &target{}
	var sum rows.Sum
	sum.Add([]byte("1\ta"))
	source.proofs = map[string]rows.Sum{"user": sum}
	_, err := job(t, source, s).Run(t.Context())
	if failure.Of(err) != failure.Unproven || s.finished {
		t.Errorf("the error is %v, finished %v", err, s.finished)
	}
}

// An interrupted run says so and aborts its targets.
func TestInterruptionHasItsOwnClass(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := job(t, site(), &target{}).Run(ctx)
	if failure.Of(err) != failure.Interrupted || !strings.HasPrefix(err.Error(), "interrupted\n") {
		t.Errorf("the error is %v", err)
	}
}

func TestInterruptedBackupSaysEarlierOnesAreIntact(t *testing.T) {
	j := job(t, site(), &target{})
	j.Targets[0].Sink = keeper{target: &target{}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := j.Run(ctx)
	if want := "interrupted; earlier backups are intact, run the same command again to continue"; failure.Of(err) != failure.Interrupted || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// upper is a record transform that changes every row.
type upper struct{}

func (upper) Table(_ context.Context, t schema.Table, _ string) (stage.Mapped, error) {
	return stage.Mapped{From: t, Schema: t, Rewrite: true}, nil
}

func (upper) Rows(_ context.Context, _ stage.Mapped, dst []byte, c stage.Chunk) ([]byte, int, error) {
	return append(dst, bytes.ToUpper(c.Data)...), c.Rows, nil
}

// ending is a transform with a Close method.
type ending struct {
	upper
	told *[]string
	sink *target
}

func (e ending) Close(context.Context) error {
	*e.told = append(*e.told, e.sink.calls[len(e.sink.calls)-1])
	return errors.New("the log is full")
}

// A transform with a Close method is closed after the sinks, and its error is
// returned.
func TestTransformsAreClosedLast(t *testing.T) {
	s, told := &target{}, []string(nil)
	j := job(t, site(), s)
	j.Transforms = []stage.RecordTransform{upper{}, ending{told: &told, sink: s}}
	if _, err := j.Run(t.Context()); err != nil || told != nil {
		t.Fatalf("%v, closed in the run: %v", err, told)
	}
	if err := j.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "closing a transform: the log is full") || !slices.Equal(told, []string{"close"}) {
		t.Errorf("%v, closed %d times, after %q", err, len(told), told)
	}
	j.Transforms = nil // job closes once more
}

// Rewritten rows are proven as the target must hold them, also after several
// transforms and without those that the target rejected.
func TestRewrittenRowsAreProvenAsRewritten(t *testing.T) {
	s := &target{refuse: "\tB"}
	j := job(t, site(), s)
	j.Transforms = []stage.RecordTransform{upper{}, upper{}}
	j.Budget = map[stage.LossKind]int64{stage.LossRow: 1}
	if _, err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(s.tables["user"])
	if !slices.Equal(s.tables["user"], []string{"1\tA", "3\tC"}) {
		t.Errorf("the target has %q", s.tables["user"])
	}
}

// A dry run reads everything and writes nothing.
func TestDryRunWritesNothing(t *testing.T) {
	s := &target{}
	j := job(t, site(), s)
	j.Targets[0].Sink, j.Targets[0].dry, j.DryRun = drySink{s}, true, true
	r, err := j.Run(t.Context())
	if err != nil || r.Counts.Rows != 4 {
		t.Fatalf("%v, %d rows", err, r.Counts.Rows)
	}
	if want := []string{"check"}; !slices.Equal(s.calls, want) {
		t.Errorf("the calls were %v, want %v", s.calls, want)
	}
}

// Rows damaged in storage cost only themselves: if that is accepted the rest is
// restored, and the table is noted as not proven.
func TestDamagedRowsCostOnlyThemselves(t *testing.T) {
	source, s := site(), &target{}
	var whole rows.Sum
	for _, row := range append(source.tables["user"], "4\tdamaged", "5\tdamaged") {
		whole.Add([]byte(row))
	}
	source.proofs = map[string]rows.Sum{"user": whole}
	source.damaged = map[string]int64{"db/user#0": 2}
	if _, err := job(t, source, s).Run(t.Context()); failure.Of(err) != failure.Unproven || slices.Contains(s.calls, "publish") {
		t.Errorf("not accepted: %v, calls %v", err, s.calls)
	}
	s = &target{}
	j := job(t, source, s)
	j.Budget = map[stage.LossKind]int64{stage.LossStored: 2}
	r, err := j.Run(t.Context())
	if err != nil || len(s.tables["user"]) != 3 || !strings.Contains(r.Notes[len(r.Notes)-1].Text, "2 of its 5 rows are damaged") {
		t.Errorf("accepted: %v, rows %q, notes %v", err, s.tables["user"], r.Notes)
	}
}

// A sink that would get nothing is refused before any sink is touched: with replace
// it would only be emptied.
func TestSinkThatGetsNothingIsRefused(t *testing.T) {
	source, s, empty := site(), &target{}, &target{}
	source.files = nil
	j := job(t, source, s, empty)
	j.Targets[1].Parts = []string{stage.Filedir}
	_, err := j.Run(t.Context())
	if failure.Of(err) != failure.Refused || slices.Contains(s.calls, "begin") || slices.Contains(empty.calls, "begin") {
		t.Errorf("%v, calls %v and %v", err, s.calls, empty.calls)
	}
}

// A part that no sink holds is not read, and noted as skipped.
func TestPartsThatNoSinkHoldsAreNotRead(t *testing.T) {
	s := &target{}
	j := job(t, site(), s)
	j.Targets[0].Parts = []string{stage.DB}
	r, err := j.Run(t.Context())
	if err != nil || r.Counts.Files != 0 || !strings.Contains(r.Notes[0].Text, "no sink holds it") {
		t.Errorf("%v, %d files, notes %v", err, r.Counts.Files, r.Notes)
	}
}

// A published target is never aborted, even if the next one cannot be published.
func TestPublishedTargetIsNotAborted(t *testing.T) {
	first, second := &target{}, &target{unpublishable: errors.New("the server has gone away")}
	_, err := job(t, site(), first, second).Run(t.Context())
	if failure.Of(err) != failure.Failed || slices.Contains(first.calls, "abort") || !slices.Contains(second.calls, "abort") {
		t.Errorf("%v, calls %v and %v", err, first.calls, second.calls)
	}
}

// After a failed Publish the message claims only what is known: the target is marked
// as incomplete if Abort could do that, otherwise it may or may not be published.
func TestFailedPublishSaysWhatIsKnown(t *testing.T) {
	gone := errors.New("the server has gone away")
	for says, s := range map[string]*target{
		"the target holds no usable site": {unpublishable: gone},
		"may or may not be published":     {unpublishable: gone, unabortable: gone},
		"aborting: the server":            {unpublishable: gone, unabortable: gone},
	} {
		_, err := job(t, site(), s).Run(t.Context())
		if failure.Of(err) != failure.Failed || !strings.Contains(err.Error(), says) || !slices.Contains(s.calls, "abort") {
			t.Errorf("%v, calls %v", err, s.calls)
		}
		if s.unabortable != nil && strings.Contains(err.Error(), "holds no usable site") {
			t.Errorf("it could not be marked: %v", err)
		}
	}
}

func TestOverlapIsCheckedBeforePlanAndBeforeEachBegin(t *testing.T) {
	for asked, calls := range [][]string{nil, {"check"}, {"check", "begin", "abort"}} {
		sinks := []*target{{}, {}}
		j := job(t, site(), sinks...)
		n := 0
		j.Apart = func() error {
			if n++; n > asked {
				return failure.New(failure.Refused, "one is in the other")
			}
			return nil
		}
		_, err := j.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "one is in the other") {
			t.Fatalf("after %d times: %v", asked, err)
		}
		if want := []failure.Class{failure.Refused, failure.Failed, failure.Failed}[asked]; failure.Of(err) != want {
			t.Errorf("after %d times: class %d, want %d", asked, failure.Of(err), want)
		}
		if !slices.Equal(sinks[0].calls, calls) {
			t.Errorf("after %d times the first sink got %v, want %v", asked, sinks[0].calls, calls)
		}
	}
}

func TestSetuidFilesAreNoted(t *testing.T) {
	for modes, want := range map[[2]uint32]string{
		{0o644, 0o1777}:  "",
		{0o4755, 0o600}:  "files with a setuid or setgid bit: 1,",
		{0o2755, 0o6755}: "files with a setuid or setgid bit: 2,",
	} {
		s := site()
		s.files["0b/4d/another"] = "content"
		s.modes = map[string]uint32{"0a/4d/" + present: modes[0], "0b/4d/another": modes[1]}
		r, err := job(t, s, &target{}).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var notes []string
		for _, n := range r.Notes {
			if strings.Contains(n.Text, "setuid") {
				notes = append(notes, n.Path+": "+n.Text)
			}
		}
		if want == "" && notes != nil || want != "" && (len(notes) != 1 || !strings.HasPrefix(notes[0], "filedir/0a/4d/"+present+": "+want) ||
			!strings.HasSuffix(notes[0], "unless its sink says owner: keep or keep_setuid: true")) {
			t.Errorf("modes %o: notes %q, want %q", modes, notes, want)
		}
	}
}
