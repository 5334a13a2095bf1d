package engine_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// markedTables is a composite that restores tables to SQLite and adds a setting to each site.
func markedTables() stage.Stage {
	return stage.Stage{
		Info: stage.Info{Name: "marked", Role: stage.RoleSink, Summary: "A marked site.", Config: func() any { return &siteConfig{} }},
		Expand: func(_ context.Context, cfg any, _ stage.ExpandEnv) (*stage.Expansion, error) {
			c, ok := cfg.(*siteConfig)
			if !ok {
				return nil, errors.New("wrong configuration type")
			}
			return &stage.Expansion{
				Parts:      []stage.Part{{Name: "database", Use: "sqlite", Settings: map[string]any{"path": filepath.Join(c.Dir, "site.sqlite")}}},
				Transforms: []stage.Part{{Name: "marker", Use: "marker"}},
			}, nil
		},
	}
}

func marker() stage.Stage {
	return stage.Stage{
		Info:      stage.Info{Name: "marker", Role: stage.RoleTransform, Summary: "Adds a setting.", Config: func() any { return &struct{}{} }},
		NewRecord: func(context.Context, any, stage.Env) (stage.RecordTransform, error) { return &marking{}, nil },
	}
}

// marking adds a row to the table config of a target.
type marking struct{ site string }

func (m *marking) Prepare(_ context.Context, p *stage.Plan) (stage.Findings, error) {
	m.site = p.Facts["site"]
	return stage.Findings{}, nil
}

func (m *marking) Table(_ context.Context, t schema.Table, target string) (stage.Mapped, error) {
	mapped := stage.Mapped{From: t, Schema: t, Adds: t.Name == "config"}
	if !mapped.Adds {
		return mapped, nil
	}
	if target != "sqlite" || t.Dialect != "sqlite" && t.Dialect != "" {
		return mapped, fmt.Errorf("the transform gets a table of %q for %q: it is not behind the type map", t.Dialect, target)
	}
	mapped.Schema.Sequence = &schema.Sequence{Column: t.Sequence.Column, Next: t.Sequence.Next + 1}
	return mapped, nil
}

func (*marking) Rows(context.Context, stage.Mapped, []byte, stage.Chunk) ([]byte, int, error) {
	return nil, 0, errors.New("it rewrites nothing")
}

func (m *marking) Added(_ context.Context, mapped stage.Mapped, dst []byte) ([]byte, int, error) {
	return fmt.Appendf(dst, "%d\tmarked\t%s\n", mapped.From.Sequence.Next, m.site), 1, nil
}

// A transform of a sink's composite adds rows to its parts only, and a restore of what a
// repository got with added rows holds them, too.
func TestTransformOfCompositeConcernsOnlyItsParts(t *testing.T) {
	dir := t.TempDir()
	r, err := work(t, dir, `version: 1
source: [{use: sample, with: {db_bytes: 64KiB, files: false}}]
sink:
  - {use: marked, with: {dir: .}}
  - {use: sqlite, with: {path: plain.sqlite}}
  - {use: local, with: {dir: repository, create: true}}
`)
	if err != nil {
		t.Fatal(err)
	}
	added, rows := map[string]int64{}, map[string]int64{}
	for _, one := range r.Tables {
		if one.Table == "config" {
			added[one.Target], rows[one.Target] = one.Added, one.Rows
		}
	}
	if added["marked/database"] != 1 || added["sqlite"] != 0 || rows["marked/database"] != rows["sqlite"]+1 {
		t.Errorf("rows of config by target: %v, of them added: %v", rows, added)
	}
	// The site that was marked is read again: the row is there once, and the sequence is above it.
	again, err := work(t, dir, "version: 1\nsource: [{use: sqlite, with: {path: site.sqlite}}]\nsink: [{use: sqlite, with: {path: again.sqlite}}, {use: local, with: {dir: other, create: true}}]\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range again.Tables {
		if one.Table == "config" && one.Rows != rows["sqlite"]+1 {
			t.Errorf("the marked site has %d settings", one.Rows)
		}
	}
	var faults []string
	for _, n := range again.Notes {
		if strings.Contains(n.Text, "sequence") {
			faults = append(faults, n.Text)
		}
	}
	if faults != nil {
		t.Errorf("notes on sequences: %v", faults)
	}
}
