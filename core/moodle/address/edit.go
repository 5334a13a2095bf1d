package address

import (
	"context"
	"fmt"
	"sync/atomic"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Options are the options of an Edit.
type Options struct {
	From string // "" for the address in the facts of what a run reads
	To   string
	// OtherScheme also replaces From with https if it has http, and the reverse.
	OtherScheme bool
}

// Edit replaces an address in all texts of a site.
type Edit struct {
	to       Address
	options  Options
	replacer atomic.Pointer[Replacer] // nil until the old address is known
}

var _ edit.Preparer = (*Edit)(nil)

// New returns an Edit. An error says which address is wrong.
func New(o Options) (*Edit, error) {
	to, err := Parse(o.To)
	if err != nil {
		return nil, fmt.Errorf("the new address: %w", err)
	}
	e := &Edit{to: to, options: o}
	if o.From == "" {
		return e, nil
	}
	return e, e.replace(o.From)
}

// replace sets the old address.
func (e *Edit) replace(from string) error {
	a, err := Parse(from)
	if err != nil {
		return fmt.Errorf("the old address: %w", err)
	}
	e.replacer.Store(NewReplacer(a, e.to, e.options.OtherScheme))
	return nil
}

// Prepare takes the old address from the facts of what is read, if it is not known yet, and
// notes both.
func (e *Edit) Prepare(_ context.Context, p *stage.Plan) (stage.Findings, error) {
	if e.replacer.Load() == nil {
		from := p.Facts[moodle.AddressFact]
		if from == "" {
			return stage.Findings{}, failure.New(failure.Refused, "the address that is to be replaced is unknown: what is read does not tell its site's address; set from")
		}
		if err := e.replace(from); err != nil {
			return stage.Findings{}, failure.Wrap(failure.Refused, err)
		}
	}
	r := e.replacer.Load()
	text := fmt.Sprintf("the address %s is replaced by %s", r.from, r.to)
	if r.idle() {
		text = fmt.Sprintf("the address stays %s", r.to)
	}
	return stage.Findings{Notes: []stage.Note{{Path: stage.DB, Text: text}}}, nil
}

// Table returns the change of a table's texts.
func (e *Edit) Table(_ context.Context, t *schema.Table) (edit.Change, error) {
	c := &texts{replacer: e.replacer.Load()}
	if c.replacer == nil {
		return nil, failure.New(failure.Usage, "the address that is to be replaced is unknown")
	}
	for i, column := range t.Columns {
		switch column.Type.Kind {
		case schema.Char, schema.Text, schema.JSON:
			c.columns = append(c.columns, i)
			c.types = append(c.types, column.Type)
		}
	}
	if len(c.columns) == 0 || c.replacer.idle() {
		return nil, nil
	}
	return c, nil
}

// texts is the change of one table's texts.
type texts struct {
	replacer *Replacer
	columns  []int
	types    []schema.Type
}

func (c *texts) Columns() []int                 { return c.columns }
func (c *texts) Added() []map[string]edit.Value { return nil }
func (c *texts) Texts() []string                { return c.replacer.Texts() }

func (c *texts) Row(values []edit.Value) (edit.Verdict, error) {
	verdict := edit.Keep
	for i, v := range values {
		if v.Null {
			continue
		}
		after, err := c.replacer.Replace(v.Text)
		switch {
		case err != nil:
			values[i].Left = err.Error()
		case after == v.Text:
		default:
			if long := tooLong(c.types[i], after); long != "" {
				values[i].Left = "with the new address it would have " + long
				continue
			}
			values[i].Text, verdict = after, edit.Changed
		}
	}
	return verdict, nil
}

// tooLong says by how much a value exceeds its type, or "".
func tooLong(t schema.Type, text string) string {
	length, unit := utf8.RuneCountInString(text), "characters"
	if t.Kind != schema.Char {
		length, unit = len(text), "bytes"
	}
	if t.Length == 0 || length <= t.Length {
		return ""
	}
	return fmt.Sprintf("%d %s, but the column has room for %d", length, unit, t.Length)
}
