package protocol

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// Replayer passes the events of a unit to a writer. An event that violates the contract of
// writers is ErrContract and not passed on. The Replayer holds one chunk, and keeps the
// data of an event until the chunk is complete. It is used by one goroutine.
type Replayer struct {
	Unit stage.Unit
	Rows stage.RowWriter // for a unit of Part DB; nil for others
	To   stage.FileWriter
	// Same reports whether an entry may be reported as unchanged. If nil, any entry may.
	Same func(stage.Entry) bool

	entry  stage.Entry // the open entry
	open   bool
	passed int64  // size of the open entry so far
	buf    []byte // pieces of a chunk
	failed error
}

// Event handles an event and those in More, and counts them.
func (p *Replayer) Event(ctx context.Context, m *pb.UnitEvent, t *Tally) error {
	if err := p.one(ctx, m, t, m.Head != nil || m.End != nil); err != nil {
		return err
	}
	for _, more := range m.More {
		if more.Head != nil || more.End != nil || len(more.More) > 0 {
			return broken("an event in more has a head, an end or more")
		}
		if err := p.one(ctx, more, t, false); err != nil {
			return err
		}
	}
	if m.End != nil && p.open && p.Rows == nil {
		return broken("the unit ends before %s is closed", p.entry.Path)
	}
	return nil
}

func (p *Replayer) one(ctx context.Context, m *pb.UnitEvent, t *Tally, empty bool) error {
	t.Data(m.Data)
	n := 0
	for _, there := range [...]bool{m.Open != nil, m.Chunk != nil, m.Close != nil, m.Same != nil, m.Drop, m.Loss != nil} {
		if there {
			n++
		}
	}
	t.Items(n)
	switch {
	case n > 1, len(m.Data) > 0 && n > 0 && m.Chunk == nil:
		return broken("an event has more than one kind")
	case len(p.buf) > 0 && len(m.Data) == 0 && m.Chunk == nil:
		return broken("a chunk of %s has no end", p.entry.Path)
	case n == 0 && len(m.Data) == 0 && !empty:
		return broken("an event of unknown kind")
	}
	return p.event(ctx, m)
}

func (p *Replayer) event(ctx context.Context, m *pb.UnitEvent) error {
	if p.Rows != nil {
		if m.Open != nil || m.Close != nil || m.Same != nil || m.Drop {
			return broken("an event of files in a unit of rows")
		}
		p.entry, p.open = stage.Entry{Path: stage.DB + "/" + p.Unit.Table, Kind: stage.Table}, true
	}
	switch {
	case m.Open != nil:
		return p.begin(ctx, m.Open)
	case m.Chunk != nil || len(m.Data) > 0:
		return p.data(ctx, m.Data, m.Chunk)
	case m.Close != nil:
		return p.end(ctx, m.Close)
	case m.Same != nil:
		return p.same(ctx, m.Same)
	case m.Drop:
		if !p.open {
			return broken("drop without an open entry")
		}
		p.open = false
		return p.keep(p.To.Drop(ctx))
	case m.Loss != nil:
		l, err := Loss(m.Loss)
		if err != nil {
			return err
		}
		if p.Rows != nil {
			return p.keep(p.Rows.Loss(ctx, l))
		}
		return p.keep(p.To.Loss(ctx, l))
	}
	return nil
}

// Failed returns the error of the writer that ended the unit, unchanged.
func (p *Replayer) Failed() error { return p.failed }

func (p *Replayer) keep(err error) error {
	p.failed = err
	return err
}

func (p *Replayer) begin(ctx context.Context, m *pb.Entry) (err error) {
	if p.open {
		return broken("%q is opened before %q is closed", m.Path, p.entry.Path)
	}
	if p.entry, err = p.fitting(m); err != nil {
		return err
	}
	p.open, p.passed = true, 0
	return p.keep(p.To.Open(ctx, p.entry))
}

// fitting returns the entry if it belongs to the unit.
func (p *Replayer) fitting(m *pb.Entry) (stage.Entry, error) {
	e, err := Entry(m)
	if err != nil {
		return e, err
	}
	for element := range strings.SplitSeq(e.Path, "/") {
		if element == "" || element == "." || element == ".." || strings.Contains(element, "\x00") {
			return e, broken("path %q is not clean and relative", e.Path)
		}
	}
	part, _, _ := strings.Cut(e.Path, "/")
	switch {
	case part != p.Unit.Part:
		return e, broken("entry %q does not belong to part %s", e.Path, p.Unit.Part)
	case (e.Target != "") != (e.Kind == stage.Symlink):
		return e, broken("entry %q of kind %q has the target %q", e.Path, e.Kind, e.Target)
	}
	switch e.Kind {
	case stage.File, stage.Dir, stage.Symlink, stage.Document:
		return e, nil
	}
	return e, broken("entry %q has unknown kind %q", e.Path, e.Kind)
}

// data handles a piece of a chunk; chunk is set with the last one.
func (p *Replayer) data(ctx context.Context, piece []byte, chunk *pb.Chunk) error {
	path := p.entry.Path
	switch {
	case !p.open:
		return broken("content without an open entry")
	case p.entry.Kind == stage.Dir || p.entry.Kind == stage.Symlink:
		return broken("%s has content although it is a %s", path, p.entry.Kind)
	case p.entry.Kind != stage.Table && len(p.buf)+len(piece) > rows.MaxChunk, len(p.buf)+len(piece) > MaxBlob:
		return broken("%s has a chunk of %d bytes or more", path, len(p.buf)+len(piece))
	}
	if cap(p.buf) == 0 {
		p.buf = piece
	} else {
		p.buf = Join(p.buf, piece)
	}
	if chunk == nil {
		return nil
	}
	defer p.emptied()
	c := stage.Chunk{Data: p.buf, Rows: int(chunk.Rows)}
	if err := p.check(c); err != nil {
		return err
	}
	if p.Rows != nil {
		return p.keep(p.Rows.Write(ctx, c))
	}
	p.passed += int64(len(c.Data))
	return p.keep(p.To.Write(ctx, c.Data))
}

// Room returns the memory into which to read the data of the next event, see Reuse.
func (p *Replayer) Room() []byte { return Room(p.buf) }

// emptied clears the chunk, and frees its memory if it was unusually large.
func (p *Replayer) emptied() {
	p.buf = p.buf[:0]
	if cap(p.buf) > 2*rows.MaxChunk {
		p.buf = nil
	}
}

func (p *Replayer) check(c stage.Chunk) error {
	if p.entry.Kind != stage.Table {
		return nil
	}
	n := bytes.Count(c.Data, []byte{'\n'})
	switch {
	case len(c.Data) > 0 && c.Data[len(c.Data)-1] != '\n':
		return broken("the last row in a chunk of %s is truncated", p.entry.Path)
	case n != c.Rows:
		return broken("a chunk of %s reported with %d rows has %d", p.entry.Path, c.Rows, n)
	case len(c.Data) > rows.MaxChunk && n > 1:
		return broken("a chunk of %s has %d bytes and %d rows", p.entry.Path, len(c.Data), n)
	}
	return nil
}

func (p *Replayer) end(ctx context.Context, m *pb.Digest) error {
	d, err := Digest(m)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", p.entry.Path, err)
	case !p.open:
		return broken("close without an open entry")
	case d.Bytes != p.passed && (p.entry.Kind == stage.File || d != (stage.Digest{})):
		return broken("%s: the digest says %d bytes, received %d", p.entry.Path, d.Bytes, p.passed)
	}
	p.open = false
	return p.keep(p.To.Close(ctx, d))
}

func (p *Replayer) same(ctx context.Context, m *pb.Entry) error {
	e, err := p.fitting(m)
	switch {
	case err != nil:
		return err
	case p.open:
		return broken("%s is written before %s is closed", e.Path, p.entry.Path)
	case e.Kind != stage.File || p.Same != nil && !p.Same(e):
		return broken("%s of kind %s is reported as unchanged but does not match the baseline", e.Path, e.Kind)
	}
	return p.keep(p.To.Same(ctx, e))
}
