package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// adder is a transform that adds rows to tables and counts the calls.
type adder struct {
	add     map[string][]string // rows by table
	err     error               // returned by Added
	more    int                 // added to the number of rows that Added returns
	prepare func(*stage.Plan) (stage.Findings, error)

	mu    sync.Mutex
	plans []*stage.Plan
	calls map[string]int // of Added, by table
}

func (a *adder) Prepare(_ context.Context, p *stage.Plan) (stage.Findings, error) {
	a.plans = append(a.plans, p)
	if a.prepare == nil {
		return stage.Findings{}, nil
	}
	return a.prepare(p)
}

func (a *adder) Table(_ context.Context, t schema.Table, _ string) (stage.Mapped, error) {
	m := stage.Mapped{From: t, Schema: t, Adds: a.add[t.Name] != nil}
	if s := t.Sequence; m.Adds && s != nil {
		m.Schema.Sequence = &schema.Sequence{Column: s.Column, Next: s.Next + uint64(len(a.add[t.Name]))}
	}
	return m, nil
}

func (a *adder) Rows(context.Context, stage.Mapped, []byte, stage.Chunk) ([]byte, int, error) {
	return nil, 0, errors.New("rows are passed to a transform that does not rewrite")
}

func (a *adder) Added(_ context.Context, m stage.Mapped, dst []byte) ([]byte, int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls == nil {
		a.calls = map[string]int{}
	}
	a.calls[m.Schema.Name]++
	for _, row := range a.add[m.Schema.Name] {
		dst = append(append(dst, row...), '\n')
	}
	return dst, len(a.add[m.Schema.Name]) + a.more, a.err
}

// only is a transform that keeps the rows that contain a text.
type only struct{ text string }

func (o only) Table(_ context.Context, t schema.Table, _ string) (stage.Mapped, error) {
	return stage.Mapped{From: t, Schema: t, Rewrite: true}, nil
}

func (o only) Rows(_ context.Context, _ stage.Mapped, dst []byte, c stage.Chunk) (data []byte, kept int, err error) {
	for row := range strings.Lines(string(c.Data)) {
		if strings.Contains(row, o.text) {
			dst, kept = append(dst, row...), kept+1
		}
	}
	return dst, kept, nil
}

func resultOf(t *testing.T, r *Result, table string) TableResult {
	t.Helper()
	i := slices.IndexFunc(r.Tables, func(result TableResult) bool { return result.Table == table })
	if i < 0 {
		t.Fatalf("no result for table %s in %+v", table, r.Tables)
	}
	return r.Tables[i]
}

func sorted(rows []string) string { return strings.Join(slices.Sorted(slices.Values(rows)), "|") }

func TestAddedRowsAreWrittenCountedAndProven(t *testing.T) {
	sink := &target{}
	j := job(t, site(), sink)
	a := &adder{add: map[string][]string{"user": {"4\td", "5\te"}, "empty": {"1\tx"}}}
	j.Transforms = []stage.RecordTransform{a}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := sorted(sink.tables["user"]); got != "1\ta|2\tb|3\tc|4\td|5\te" {
		t.Errorf("user holds %q", got)
	}
	if got := sorted(sink.tables["empty"]); got != "1\tx" {
		t.Errorf("empty holds %q", got)
	}
	if u := resultOf(t, r, "user"); u.Rows != 5 || !u.Changed || u.Added != 2 || u.Dropped != 0 || u.Refused != 0 || u.Want != u.Got {
		t.Errorf("the result of user is %+v", u)
	}
	if u := resultOf(t, r, "files"); u.Added != 0 || u.Rows != 1 {
		t.Errorf("the result of files is %+v", u)
	}
	if r.Counts.Rows != 4 {
		t.Errorf("%d rows were read", r.Counts.Rows)
	}
	if o := sink.outcome.Added; len(o) != 2 || o["user"] != 2 || o["empty"] != 1 {
		t.Errorf("the sink was told of %v added rows", o)
	}
	if !slices.Contains(r.Notes, stage.Note{Path: "db/user", Text: "2 rows were added by a transform"}) {
		t.Errorf("the notes are %v", r.Notes)
	}
	if a.calls["user"] != 1 {
		t.Errorf("Added was called %d times for two units of user", a.calls["user"])
	}
}

func TestAddedRowsSurviveRetries(t *testing.T) {
	lost := stage.Temporary(errors.New("lost connection"), 0)
	source := site()
	source.trouble.errs = map[string][]error{"db/user#0": {lost}}
	first, second := &target{}, &target{}
	second.trouble.errs = map[string][]error{"db/user#0": {lost}}
	j := job(t, source, first, second)
	j.firstPause = 1
	a := &adder{add: map[string][]string{"user": {"4\td"}}}
	j.Transforms = []stage.RecordTransform{a}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, sink := range []*target{first, second} {
		if got := sorted(sink.tables["user"]); got != "1\ta|2\tb|3\tc|4\td" || sink.outcome.Added["user"] != 1 {
			t.Errorf("target %d holds %q and was told of %v", i, got, sink.outcome.Added)
		}
	}
	// Once in the first target, and twice in the second, whose first commit failed.
	if a.calls["user"] != 3 {
		t.Errorf("Added was called %d times", a.calls["user"])
	}
	for _, result := range r.Tables {
		if result.Table == "user" && (result.Added != 1 || result.Rows != 4) {
			t.Errorf("the result is %+v", result)
		}
	}
}

// A transform of one target adds rows there only.
func TestTransformOfTargetConcernsOnlyIt(t *testing.T) {
	with, without := &target{}, &target{}
	j := job(t, site(), with, without)
	j.Targets[0].Transforms = []stage.RecordTransform{&adder{add: map[string][]string{"user": {"4\td"}}}}
	if _, err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(with.tables["user"]) != 4 || len(without.tables["user"]) != 3 || len(without.outcome.Added) != 0 {
		t.Errorf("the targets hold %q and %q", with.tables["user"], without.tables["user"])
	}
}

// Added rows pass through the transforms that follow, and not through earlier ones.
func TestAddedRowsPassLaterTransforms(t *testing.T) {
	sink := &target{}
	j := job(t, site(), sink)
	a := &adder{add: map[string][]string{"user": {"4\tdropped", "5\tkept c"}}}
	j.Transforms = []stage.RecordTransform{only{"b"}, a, only{"\t"}, only{"e"}}
	j.Targets[0].Transforms = []stage.RecordTransform{only{"kept"}}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := sorted(sink.tables["user"]); got != "5\tkept c" {
		t.Errorf("user holds %q", got)
	}
	if u := resultOf(t, r, "user"); u.Added != 2 || u.Dropped != 4 || u.Rows != 1 || u.Refused != 0 {
		t.Errorf("the result is %+v", u)
	}
}

func TestTargetMayRefuseAddedRows(t *testing.T) {
	sink := &target{refuse: "bad"}
	j := job(t, site(), sink)
	j.Budget = map[stage.LossKind]int64{stage.LossRow: 1}
	j.Transforms = []stage.RecordTransform{&adder{add: map[string][]string{"user": {"4\tbad", "5\te"}}}}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if u := resultOf(t, r, "user"); u.Added != 2 || u.Refused != 1 || u.Rows != 4 {
		t.Errorf("the result is %+v", u)
	}
}

func TestProofDetectsLostAddedRow(t *testing.T) {
	sink := &target{swallow: "\td"}
	j := job(t, site(), sink)
	j.Transforms = []stage.RecordTransform{&adder{add: map[string][]string{"user": {"4\td"}}}}
	if _, err := j.Run(t.Context()); failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "4 rows were sent, but the target has 3") {
		t.Errorf("the error is %v", err)
	}
}

func TestProofChecksSequenceAboveAddedRows(t *testing.T) {
	source := site()
	user := source.structure("user")
	user.Sequence = &schema.Sequence{Column: "id", Next: 4}
	source.schema = map[string]schema.Table{"user": user}
	sink := &target{}
	j := job(t, source, sink)
	j.Transforms = []stage.RecordTransform{&adder{add: map[string][]string{"user": {"4\td", "5\te"}}}}
	if _, err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, info := range sink.plan.Tables {
		if info.Schema.Name == "user" && info.Schema.Sequence.Next != 6 {
			t.Errorf("the target's sequence is planned at %d", info.Schema.Sequence.Next)
		}
	}
	j = job(t, source, &target{})
	j.Targets[0].Sink = behind{&target{}}
	j.Transforms = []stage.RecordTransform{&adder{add: map[string][]string{"user": {"4\td", "5\te"}}}}
	if _, err := j.Run(t.Context()); failure.Of(err) != failure.Unproven || !strings.Contains(err.Error(), "the sequence of id is at 4 instead of 6") {
		t.Errorf("a sequence below the added rows: %v", err)
	}
}

// behind is a target that leaves its sequences where the source had them.
type behind struct{ *target }

func (b behind) Prove(ctx context.Context) ([]stage.TableProof, error) {
	proofs, err := b.target.Prove(ctx)
	for i := range proofs {
		if proofs[i].Schema.Sequence != nil {
			proofs[i].Schema.Sequence = &schema.Sequence{Column: "id", Next: 4}
		}
	}
	return proofs, err
}

func TestWrongAddersFail(t *testing.T) {
	add := map[string][]string{"user": {"4\td"}}
	for want, transform := range map[string]stage.RecordTransform{
		"table user: adding rows: no more numbers":                            &adder{add: add, err: errors.New("no more numbers")},
		"table user: a transform reported 2 added rows, but returned 1":       &adder{add: add, more: 1},
		"table user: a transform reported 0 added rows, but returned 1":       &adder{add: add, more: -1},
		"table user: a transform says that it adds rows, but has none to add": promising{only{"x"}},
		"table user: adding rows: the last row is cut off after 3 bytes":      cutOff{&adder{add: add}},
		"preparing a transform: the site has another release":                 &adder{add: add, prepare: refuse},
	} {
		sink := &target{}
		j := job(t, site(), sink)
		j.Transforms = []stage.RecordTransform{transform}
		_, err := j.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if slices.Contains(sink.calls, "publish") {
			t.Errorf("%s: the calls were %v", want, sink.calls)
		}
	}
}

func refuse(*stage.Plan) (stage.Findings, error) {
	return stage.Findings{}, failure.New(failure.Refused, "the site has another release")
}

// promising says that it adds rows, but is no Adder.
type promising struct{ only }

func (p promising) Table(_ context.Context, t schema.Table, _ string) (stage.Mapped, error) {
	return stage.Mapped{From: t, Schema: t, Adds: t.Name == "user"}, nil
}

// cutOff omits the end of the last row.
type cutOff struct{ *adder }

func (c cutOff) Added(ctx context.Context, m stage.Mapped, dst []byte) ([]byte, int, error) {
	data, n, err := c.adder.Added(ctx, m, dst)
	return data[:len(data)-1], n, err
}

// unitless is a source that plans no unit for its tables.
type unitless struct{ *memory }

func (u unitless) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	inv, err := u.memory.Plan(ctx, r)
	inv.Units = slices.DeleteFunc(inv.Units, func(u stage.Unit) bool { return u.Table == "empty" })
	return inv, err
}

func TestRowsAddedToTableWithoutUnitAreNotLost(t *testing.T) {
	j := job(t, site(), &target{})
	j.Origins[0].Source = unitless{site()}
	j.Transforms = []stage.RecordTransform{&adder{add: map[string][]string{"empty": {"1\tx"}}}}
	if _, err := j.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "table empty: a transform adds rows, but the source planned no unit for the table") {
		t.Errorf("the error is %v", err)
	}
}

// sizes is a target that records the sizes of chunks.
type sizes struct {
	*target
	mu  sync.Mutex
	max int
}

func (s *sizes) WriteRows(ctx context.Context, u stage.Unit) (stage.RowUnit, error) {
	w, err := s.target.WriteRows(ctx, u)
	return sized{w, s}, err
}

type sized struct {
	stage.RowUnit
	of *sizes
}

func (s sized) Write(ctx context.Context, c stage.Chunk) error {
	s.of.mu.Lock()
	s.of.max = max(s.of.max, len(c.Data))
	s.of.mu.Unlock()
	return s.RowUnit.Write(ctx, c)
}

func TestManyAddedRowsComeInChunks(t *testing.T) {
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("%d\t%s", i+10, strings.Repeat("x", 400<<10)))
	}
	sink := &sizes{target: &target{}}
	j := job(t, site(), sink.target)
	j.Targets[0].Sink = sink
	j.Transforms = []stage.RecordTransform{&adder{add: map[string][]string{"empty": many}}}
	if _, err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sink.max > rows.MaxChunk || !slices.Equal(sink.tables["empty"], many) {
		t.Errorf("%d rows arrived, in chunks of at most %d bytes", len(sink.tables["empty"]), sink.max)
	}
}

func TestPrepareIsCalledOnceWithThePlanOfTheSources(t *testing.T) {
	sink := &target{}
	j := job(t, site(), sink, &target{})
	one := &adder{add: map[string][]string{"user": {"4\td"}}}
	two := &adder{prepare: func(*stage.Plan) (stage.Findings, error) {
		return stage.Findings{Losses: []stage.Loss{{Kind: stage.LossRow, Path: "db/user", Reason: "no such user", Count: 1}}, Notes: []stage.Note{{Path: "db/user", Text: "prepared"}}}, nil
	}}
	j.Transforms, j.Targets[0].Transforms = []stage.RecordTransform{one}, []stage.RecordTransform{two}
	j.Budget = map[stage.LossKind]int64{stage.LossRow: 1}
	r, err := j.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]*adder{"the job's": one, "the target's": two} {
		if len(a.plans) != 1 || len(a.plans[0].Tables) != 3 || a.plans[0].Facts["engine"] != "memory" || !slices.Equal(a.plans[0].Parts, []string{stage.DB, stage.Filedir}) {
			t.Errorf("%s transform got %+v", name, a.plans)
		}
	}
	if len(r.Losses) != 1 || !slices.Contains(r.Notes, stage.Note{Path: "db/user", Text: "prepared"}) {
		t.Errorf("the result has %v and %v", r.Losses, r.Notes)
	}
	// What concerns one target is not reported to the other.
	if len(sink.outcome.Losses) != 1 || len(j.Targets[1].Sink.(*target).outcome.Losses) != 0 {
		t.Errorf("the sinks were told of %v and %v", sink.outcome.Losses, j.Targets[1].Sink.(*target).outcome.Losses)
	}
}

func TestPrepareRefusesRun(t *testing.T) {
	sink := &target{}
	j := job(t, site(), sink)
	j.Targets[0].Transforms = []stage.RecordTransform{&adder{prepare: refuse}}
	_, err := j.Run(t.Context())
	if failure.Of(err) != failure.Refused || len(sink.calls) > 0 {
		t.Errorf("%v of class %d; the calls were %v", err, failure.Of(err), sink.calls)
	}
}

func TestDryRunAddsNothing(t *testing.T) {
	sink := &target{}
	j := job(t, site(), sink)
	j.DryRun = true
	j.Targets[0].Rehearse()
	j.Transforms = []stage.RecordTransform{&adder{add: map[string][]string{"user": {"4\td"}}}}
	if _, err := j.Run(t.Context()); err != nil || len(sink.tables) > 0 {
		t.Errorf("%v; the target holds %v", err, sink.tables)
	}
}
