package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// generator is a column that takes its values from a sequence.
type generator struct {
	table            *Table
	column, sequence string // the sequence as text for regclass
	expr             string // the column's default
}

type sequence struct {
	Name      string // as requested
	OID       uint32
	Qualified string // quoted
	Increment int64
	Cycle     bool
	Readable  bool
}

type sequenceValue struct {
	Sequence int
	Last     int64
	Called   bool
}

// sequences reads the values of all sequences. Sequences are not part of a snapshot:
// the current value is read, which is never behind the rows.
func (r *reading) sequences(ctx context.Context) error {
	var names []string
	for _, g := range r.generators {
		names = append(names, g.sequence)
	}
	found, err := query[sequence](ctx, r.Conn, `
		SELECT DISTINCT g.name, c.oid, format('%I.%I', n.nspname, c.relname), s.seqincrement, s.seqcycle, has_sequence_privilege(c.oid, 'SELECT')
		FROM unnest($1::text[]) g (name)
		JOIN pg_class c ON c.oid = to_regclass(g.name) JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid`, names)
	if err != nil {
		return r.Explain(err, "reading the sequences")
	}
	var denied []string
	byName := map[string]int{}
	for i, s := range found {
		byName[s.Name] = i
		if !s.Readable {
			denied = append(denied, s.Qualified)
		}
	}
	if denied != nil {
		return failure.New(failure.Refused, "%s: the user may not read the sequences %s; GRANT SELECT ON ALL SEQUENCES IN SCHEMA %s to it",
			r.Address, strings.Join(denied, ", "), Ident(r.Site.Schema))
	}
	next, err := r.nextValues(ctx, found)
	if err != nil {
		return err
	}
	users := map[uint32]string{}
	for _, g := range r.generators {
		i, ok := byName[g.sequence]
		switch {
		case !ok:
			r.lose(stage.LossDefault, g.table.Name, "column "+g.column, "its default uses a sequence that does not exist: "+g.expr)
			continue
		case g.table.Sequence != nil:
			r.lose(stage.LossDefault, g.table.Name, "column "+g.column, "a second sequence of a table is not transferred: "+g.expr)
			continue
		}
		s := found[i]
		g.table.Sequence = &schema.Sequence{Column: g.column, Next: next[i]}
		if first, ok := users[s.OID]; ok {
			r.note(g.table.Name, "sequence %s is shared with %s; each gets its own", s.Qualified, first)
		}
		users[s.OID] = g.table.Name
		if s.Increment != 1 || s.Cycle {
			r.note(g.table.Name, "sequence %s has an increment of %d or cycles; it becomes an ordinary one", s.Qualified, s.Increment)
		}
	}
	for _, o := range r.listing.Others {
		if _, ok := users[o.OID]; o.Kind == 'S' && !ok {
			r.lose(stage.LossTable, o.Name, "", "a sequence that no column uses is not transferred")
		}
	}
	return nil
}

// nextValues returns the next value of each sequence.
func (r *reading) nextValues(ctx context.Context, of []sequence) ([]uint64, error) {
	const batch = 200 // tables of one statement, each of which the server locks
	next := make([]uint64, len(of))
	for from := 0; from < len(of); from += batch {
		var sql strings.Builder
		for i := from; i < min(from+batch, len(of)); i++ {
			if i > from {
				sql.WriteString(" UNION ALL ")
			}
			fmt.Fprintf(&sql, "SELECT %d, last_value, is_called FROM %s", i, of[i].Qualified)
		}
		values, err := query[sequenceValue](ctx, r.Conn, sql.String())
		if err != nil {
			return nil, r.Explain(err, "reading the sequences' values")
		}
		for _, v := range values {
			n := uint64(max(v.Last, 0))
			if v.Called && v.Last >= 0 {
				n++
			}
			next[v.Sequence] = max(n, 1)
		}
	}
	return next, nil
}
