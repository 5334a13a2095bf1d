package safeclone

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/clone"
	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// transform applies the measures to the rows of a run.
type transform struct {
	*edit.Transform
	measures *measures
}

var (
	_ stage.Preparer = (*transform)(nil)
	_ stage.Adder    = (*transform)(nil)
	_ stage.Noter    = (*transform)(nil)
)

// New returns the transform.
func New(c Config) stage.RecordTransform {
	m := &measures{config: c}
	return &transform{edit.NewTransform(m), m}
}

// measures is an edit.Edit that knows its measures when it has been prepared.
type measures struct {
	config Config
	edit   *clone.Edit // nil for a target that is no copy
	ready  bool
}

// Prepare decides whether the target is a copy.
func (m *measures) Prepare(_ context.Context, p *stage.Plan) (stage.Findings, error) {
	original := p.Facts[moodle.AddressFact]
	m.ready = true
	note := "the target is made a safe copy"
	if target := m.config.Address; target != "" {
		switch {
		case original == "":
			return stage.Findings{}, failure.New(failure.Refused, "the backup does not say at which address its site was, so it is unknown whether the target is a copy; "+
				"set clone: true if it is one, or clone: false if it replaces the original")
		case clone.SameAddress(original, target):
			return stage.Findings{}, nil
		}
		note = fmt.Sprintf("the site is treated as a copy, because its address is %s and that of the original is %s; if it replaces the original, set clone: false", target, original)
	}
	var err error
	if m.edit, err = clone.New(m.config.Config, clone.Options{Production: original}); err != nil {
		return stage.Findings{}, err
	}
	var off []string
	for _, measure := range m.edit.Off() {
		off = append(off, measure.ID)
	}
	if len(off) > 0 {
		note += "; measures that are off: " + strings.Join(off, ", ")
	}
	return stage.Findings{Notes: []stage.Note{{Path: stage.DB, Text: note}}}, nil
}

// Table implements edit.Edit.
func (m *measures) Table(ctx context.Context, t *schema.Table) (edit.Change, error) {
	switch {
	case !m.ready:
		return nil, errors.New("safe-clone was not prepared")
	case m.edit == nil:
		return nil, nil
	}
	return m.edit.Table(ctx, t)
}

// Notes says what each measure did.
func (t *transform) Notes(ctx context.Context) ([]stage.Note, error) {
	notes, err := t.Transform.Notes(ctx)
	if err != nil || t.measures.edit == nil {
		return notes, err
	}
	for _, c := range t.measures.edit.Counts() {
		notes = append(notes, stage.Note{Path: stage.DB, Text: "safe copy: " + c.String()})
	}
	return notes, nil
}
