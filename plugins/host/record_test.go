package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/protocol"
	"github.com/lmsvault/vault/plugins/sdk"
)

// additions is the configuration of a transform that adds a row to the table config with the
// facts that it was prepared with.
type additions struct {
	Mode string `key:"mode" help:"what it does"`
	Once string `key:"once" help:"a file; the process ends during Added if it does not exist, and creates it"`
}

type adding struct {
	sdk.UnimplementedRecordTransform
	config *additions
	facts  map[string]string
}

func (a *adding) Prepare(_ context.Context, p *sdk.Plan) (sdk.Findings, error) {
	if a.config.Mode == "refuse" {
		return sdk.Findings{}, failure.New(failure.Refused, "the site has another release")
	}
	a.facts = p.Facts
	return sdk.Findings{
		Losses: []sdk.Loss{{Kind: stage.LossRow, Path: "db/config", Reason: "it is old", Count: 2}},
		Notes:  []sdk.Note{{Path: "db", Text: fmt.Sprintf("%d tables, %v", len(p.Tables), p.Parts)}},
	}, nil
}

func (a *adding) Table(_ context.Context, t sdk.Schema, _ string) (sdk.Mapped, error) {
	m := sdk.Mapped{From: t, Schema: t, Adds: t.Name == "config"}
	if m.Adds {
		m.Schema.Sequence = &schema.Sequence{Column: "id", Next: t.Sequence.Next + 1}
	}
	return m, nil
}

func (a *adding) Rows(_ context.Context, _ sdk.Mapped, dst []byte, c sdk.Chunk) ([]byte, int, error) {
	return append(dst, c.Data...), c.Rows, nil
}

func (a *adding) Added(_ context.Context, m sdk.Mapped, dst []byte) ([]byte, int, error) {
	if a.facts == nil {
		return nil, 0, errors.New("not prepared")
	}
	if a.config.Once != "" {
		f, err := os.OpenFile(a.config.Once, os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			if err := f.Close(); err != nil {
				return nil, 0, err
			}
			os.Exit(7)
		}
		if !os.IsExist(err) {
			return nil, 0, err
		}
	}
	switch a.config.Mode {
	case "cut":
		return append(dst, "1000\tcut"...), 0, nil
	case "miscount":
		return append(dst, "1000\ta\tb\n"...), 2, nil
	}
	return fmt.Appendf(dst, "%d\tfacts\t%s\n", m.From.Sequence.Next, a.facts["site"]+a.facts["secret_known"]+a.facts["secret_other"]), 1, nil
}

func adder() sdk.Stage {
	s := sdk.RecordStage("adder", "Adds a setting.", "", func(_ context.Context, c *additions, _ sdk.Env) (sdk.RecordTransform, error) {
		if c.Mode == "plain" {
			return promising{}, nil
		}
		return &adding{config: c}, nil
	})
	s.SecretFacts = []string{"secret_known"}
	return s
}

// promising says that it adds rows, but is no sdk.Adder.
type promising struct {
	sdk.UnimplementedRecordTransform
}

func (promising) Table(_ context.Context, t sdk.Schema, _ string) (sdk.Mapped, error) {
	return sdk.Mapped{From: t, Schema: t, Adds: true}, nil
}

func isolatedAdder(t *testing.T, h *host.Host, c additions) stage.RecordTransform {
	t.Helper()
	r, err := h.Isolate(adder(), self(t)).NewRecord(context.WithoutCancel(t.Context()), &c, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func adderPlan() *stage.Plan {
	return &stage.Plan{
		Pipeline: "restore", Parts: []string{stage.DB}, Facts: map[string]string{"site": "abc", "secret_known": "S1", "secret_other": "S2"},
		Tables: []stage.TableInfo{{Schema: adderTable()}},
	}
}

func adderTable() schema.Table {
	return schema.Table{
		Name: "config", PrimaryKey: []string{"id"}, Sequence: &schema.Sequence{Column: "id", Next: 9},
		Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}, {Name: "name", Type: schema.Type{Kind: schema.Text}}, {Name: "value", Type: schema.Type{Kind: schema.Text}}},
	}
}

// A transform in its own process is prepared, adds rows, and gets no secret facts but those
// that it needs. A process that ends is replaced by one that is prepared as well.
func TestTransformAddsRowsOverProcess(t *testing.T) {
	for _, once := range []string{"", filepath.Join(t.TempDir(), "once")} {
		r := isolatedAdder(t, newHost(t), additions{Once: once})
		plan := adderPlan()
		found, err := r.(stage.Preparer).Prepare(t.Context(), plan)
		if err != nil || len(found.Losses) != 1 || found.Losses[0].Count != 2 || len(found.Notes) != 1 || found.Notes[0].Text != "1 tables, [db]" {
			t.Errorf("preparing: %+v, %v", found, err)
		}
		if len(plan.Facts) != 3 {
			t.Errorf("the plan was changed: %v", plan.Facts)
		}
		m, err := r.Table(t.Context(), adderTable(), "mysql")
		if err != nil || !m.Adds || m.Schema.Sequence.Next != 10 {
			t.Errorf("mapped: %+v, %v", m, err)
		}
		data, n, err := r.(stage.Adder).Added(t.Context(), m, []byte("before"))
		if err != nil || n != 1 || string(data) != "before9\tfacts\tabcS1\n" {
			t.Errorf("added: %q, %d, %v", data, n, err)
		}
		if _, err := os.Stat(once); once != "" && err != nil {
			t.Errorf("the process did not end: %v", err)
		}
		if err := r.(stage.Closer).Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestFaultyAddersAreErrors(t *testing.T) {
	h := newHost(t)
	if _, err := isolatedAdder(t, h, additions{Mode: "refuse"}).(stage.Preparer).Prepare(t.Context(), adderPlan()); failure.Of(err) != failure.Refused || err.Error() != "the site has another release" {
		t.Errorf("a refusal: %v of class %d", err, failure.Of(err))
	}
	if _, err := isolatedAdder(t, h, additions{Mode: "plain"}).Table(t.Context(), adderTable(), ""); !errors.Is(err, protocol.ErrContract) || !strings.Contains(err.Error(), "lacks the capability adds") {
		t.Errorf("without the capability: %v", err)
	}
	if found, err := isolatedAdder(t, h, additions{Mode: "plain"}).(stage.Preparer).Prepare(t.Context(), adderPlan()); err != nil || len(found.Notes) > 0 {
		t.Errorf("a transform that needs no preparation: %+v, %v", found, err)
	}
	for mode, want := range map[string]string{"cut": "the last row is truncated", "miscount": "reported 2 added rows but returned 1"} {
		r := isolatedAdder(t, h, additions{Mode: mode})
		if _, err := r.(stage.Preparer).Prepare(t.Context(), adderPlan()); err != nil {
			t.Fatal(err)
		}
		data, n, err := r.(stage.Adder).Added(t.Context(), stage.Mapped{From: adderTable(), Schema: adderTable(), Adds: true}, []byte("x"))
		if err == nil || !strings.Contains(err.Error(), want) || n != 0 || string(data) != "x" {
			t.Errorf("%s: %q, %d, %v", mode, data, n, err)
		}
	}
}

func TestAdderConformsOverProcess(t *testing.T) {
	h := newHost(t)
	conformance.Record(t, conformance.RecordFixture{
		Open:    func(t testing.TB) stage.RecordTransform { return isolatedAdder(t.(*testing.T), h, additions{}) },
		Tables:  conformance.SampleTables(),
		Targets: []string{"", "mysql"}, Facts: map[string]string{"site": "abc"},
	})
}

// factual is a sink that notes the facts it gets.
func factual() sdk.Stage {
	s := sdk.SinkStage("factual", "Notes its facts.", "", []string{stage.DB}, func(_ context.Context, c *additions, _ sdk.Env) (sdk.Sink, error) {
		return &noting{file: c.Once}, nil
	})
	s.SecretFacts = []string{"secret_known"}
	return s
}

type noting struct {
	sdk.UnimplementedSink
	file string
}

func (n *noting) note(call string, facts map[string]string, more any) error {
	f, err := os.OpenFile(n.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, call, facts, more)
	return errors.Join(err, f.Close())
}

func (n *noting) Check(_ context.Context, p *sdk.Plan) (sdk.Findings, error) {
	return sdk.Findings{}, n.note("check", p.Facts, "")
}
func (n *noting) Begin(_ context.Context, p *sdk.Plan) error { return n.note("begin", p.Facts, "") }
func (n *noting) Finish(_ context.Context, o *sdk.Outcome) error {
	return n.note("finish", o.Facts, o.Added)
}
func (n *noting) Close(context.Context) error { return nil }

// A sink gets only the secret facts that it needs, and the number of rows that were added.
func TestSinkGetsOnlyFactsThatItNeeds(t *testing.T) {
	for need, want := range map[string]string{"secret_known": "map[secret_known:S1 site:abc]", "": "map[site:abc]"} {
		file := filepath.Join(t.TempDir(), "facts")
		s := factual()
		s.SecretFacts = slices.DeleteFunc([]string{need}, func(name string) bool { return name == "" })
		sink, err := newHost(t).Isolate(s, self(t)).NewSink(t.Context(), &additions{Once: file}, stage.Env{})
		if err != nil {
			t.Fatal(err)
		}
		p := adderPlan()
		_, err = sink.Check(t.Context(), p)
		err = errors.Join(err, sink.Begin(t.Context(), p), sink.Finish(t.Context(), &stage.Outcome{Facts: p.Facts, Added: map[string]int64{"config": 3}}), sink.Close(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != fmt.Sprintf("check %s \nbegin %s \nfinish %s map[config:3]\n", want, want, want) {
			t.Errorf("a sink that needs %q got %q, %v", need, text, err)
		}
	}
}

// The host learns from the description which facts a plugin needs, and refuses names that
// would hand over more.
func TestNeededFactsAreDescribed(t *testing.T) {
	d, err := newHost(t).Describe(t.Context(), self(t))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(d.Stages, func(s stage.Stage) bool { return s.Name == "adder" })
	if i < 0 || !slices.Equal(d.Stages[i].SecretFacts, []string{"secret_known"}) {
		t.Errorf("described are %+v", d.Stages)
	}
	for want, change := range map[string]func(*sdk.Stage){
		"must begin with secret_":          func(s *sdk.Stage) { s.SecretFacts = []string{"site"} },
		"consist of a-z, 0-9 and _":        func(s *sdk.Stage) { s.SecretFacts = []string{"secret_*"} },
		"the maximum is 64":                func(s *sdk.Stage) { s.SecretFacts = make([]string, 65) },
		"only a sink, a transform of rows": func(s *sdk.Stage) { *s = rogueSource(); s.SecretFacts = []string{"secret_known"} },
	} {
		s := adder()
		change(&s)
		if err := (sdk.Plugin{Name: "x", Version: "1.0.0", Stages: []sdk.Stage{s}}).Serve(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// What an action asks for and what it would exclude arrive without secrets.
func TestConfirmationAndExclusionsOverProcess(t *testing.T) {
	plan := adderPlan()
	report, err := act(t, "ask").Run(t.Context(), stage.ActionRequest{Moment: stage.MomentPlanned, Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	if report.Confirm != "replace ***\nwith map[site:abc]?" || len(report.Findings) != 1 || !slices.Equal(report.Findings[0].Exclude, []string{"db/log", "dataroot/***"}) {
		t.Errorf("%+v", report)
	}
	if report, err = act(t, "ask only").Run(t.Context(), stage.ActionRequest{}); err != nil || report.Confirm != "sure?" || len(report.Findings) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}
