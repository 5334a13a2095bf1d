package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
)

// transforming makes a composite bring transforms of rows.
func transforming(transforms ...stage.Part) func(*wholeSite, *stage.Expansion) {
	return func(_ *wholeSite, e *stage.Expansion) { e.Transforms = transforms }
}

const between = `version: 1
source:
  - use: %s
transform: [{use: typemap}]
sink:
  - use: %s
`

func fromTo(source, sink string) []byte {
	return []byte(strings.Replace(strings.Replace(between, "%s", source, 1), "%s", sink, 1))
}

const (
	aSite   = "site\n    with: {dir: .}"
	aTables = "mysql\n    with: {dsn: x}"
)

// The transforms of a source come first, because they concern what it reads.
func TestTransformsOfSourcePrecedeThoseOfPipeline(t *testing.T) {
	o, _ := composed(t, transforming(stage.Part{Name: "one", Use: "typemap"}, stage.Part{Name: "two", Use: "typemap"}))
	p, found := pipeline.Parse("p.yaml", fromTo(aSite, aTables), o)
	if p == nil {
		t.Fatal(found)
	}
	if got := labels(p.Transform); got != "site/one typemap, site/two typemap, typemap typemap" {
		t.Errorf("the transforms are %s", got)
	}
	if len(p.Sink[0].Rows) > 0 {
		t.Errorf("the sink has transforms of its own: %s", labels(p.Sink[0].Rows))
	}
	if want := "site expands to database (mysql), contents (files); transforms: one (typemap), two (typemap); before: checks (check); after: tell (check)"; p.Expanded()[0].Path+" "+p.Expanded()[0].Text != want {
		t.Errorf("the note is %v", p.Expanded()[0])
	}
}

// The transforms of a sink concern only its own parts that hold tables.
func TestTransformsOfSinkConcernItsTables(t *testing.T) {
	o, _ := composed(t, transforming(stage.Part{Name: "one", Use: "typemap"}))
	p, found := pipeline.Parse("p.yaml", []byte(string(fromTo(aTables+"\n  - {use: files, with: {dir: /x}}", aSite))+"  - {use: local, with: {dir: /y}}\n"), o)
	if p == nil {
		t.Fatal(found)
	}
	if got := labels(p.Transform); got != "typemap typemap" {
		t.Errorf("the pipeline's transforms are %s", got)
	}
	var got []string
	for _, s := range p.Sink {
		got = append(got, s.Label()+": "+labels(s.Rows))
	}
	if want := "site/database: site/one typemap; site/contents: ; local: "; strings.Join(got, "; ") != want {
		t.Errorf("the sinks have %q, want %q", strings.Join(got, "; "), want)
	}
}

func TestWrongTransformsOfCompositesAreErrors(t *testing.T) {
	for want, change := range map[string]func(*wholeSite, *stage.Expansion){
		"site/one: compress cannot be a part: it does not transform rows": transforming(stage.Part{Name: "one", Use: "compress"}),
		"site/one: when is \"start\"":                                     transforming(stage.Part{Name: "one", Use: "typemap", When: "start"}),
		`site/one: no transform stage "mysql"`:                            transforming(stage.Part{Name: "one", Use: "mysql"}),
		`site/one: unknown key "nope"`:                                    transforming(stage.Part{Name: "one", Use: "typemap", Settings: map[string]any{"nope": 1}}),
		"site/one: another part has the same name":                        transforming(stage.Part{Name: "one", Use: "typemap"}, stage.Part{Name: "one", Use: "typemap"}),
	} {
		for _, text := range [][]byte{fromTo(aSite, aTables), fromTo(aTables, aSite)} {
			o, _ := composed(t, change)
			p, found := pipeline.Parse("p.yaml", text, o)
			if p != nil || !strings.Contains(lines(found.Of(config.Error)), want) {
				t.Errorf("found %v\nwant  %s", found, want)
			}
		}
	}
}

// The transforms of a sink would be lost without a part that holds tables.
func TestSinkWithTransformsNeedsTables(t *testing.T) {
	o, _ := composed(t, func(_ *wholeSite, e *stage.Expansion) {
		e.Parts, e.Transforms = e.Parts[1:], []stage.Part{{Name: "one", Use: "typemap"}}
	})
	p, found := pipeline.Parse("p.yaml", fromTo("files\n    with: {dir: /x}", aSite), o)
	if p != nil || !strings.Contains(lines(found), "site expands to transforms of rows, but none of its parts holds tables") {
		t.Errorf("found %v", found)
	}
}

func TestCompositesLearnWhatTheyMayDo(t *testing.T) {
	for _, want := range []stage.ExpandEnv{{}, {Online: true}, {AllowRestore: true}} {
		o, dir := composed(t, nil)
		var got stage.ExpandEnv
		sink := siteStage(stage.RoleSink, nil)
		inner := sink.Expand
		sink.Expand = func(ctx context.Context, cfg any, env stage.ExpandEnv) (*stage.Expansion, error) {
			got = env
			return inner(ctx, cfg, env)
		}
		var err error
		if o.Registry, err = stage.NewRegistry(append(registry(t).All(), sink, checkStage())...); err != nil {
			t.Fatal(err)
		}
		o.Online, o.AllowRestore = want.Online, want.AllowRestore
		if p, found := pipeline.Parse("p.yaml", fromTo(aTables+"\n  - {use: files, with: {dir: /x}}", aSite), o); p == nil {
			t.Fatal(found)
		}
		if got.Online != want.Online || got.AllowRestore != want.AllowRestore || got.Dir != dir || got.Lookup == nil {
			t.Errorf("the composite got %+v, want %+v", got, want)
		}
	}
}
