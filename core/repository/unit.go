package repository

import (
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/repository/pack"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// rowUnit writes a unit of a table. The table is its only entry.
type rowUnit struct{ *unitWriter }

func newRowUnit(s *Sink, u stage.Unit) *rowUnit {
	w := newUnitWriter(s, u, nil)
	w.open = &manifest.Item{Entry: stage.Entry{Path: stage.DB + "/" + u.Table, Kind: stage.Table}}
	return &rowUnit{w}
}

func (u *rowUnit) Write(ctx context.Context, c stage.Chunk) error {
	if u.open == nil {
		return errEnded
	}
	if len(c.Data) == 0 {
		return nil
	}
	return u.writeRows(ctx, c)
}

func (u *rowUnit) Commit(ctx context.Context) (*stage.Receipt, error) {
	if u.open != nil {
		it := u.open
		u.open = nil
		if err := u.add(ctx, it, 0); err != nil {
			return nil, err
		}
	}
	return u.unitWriter.Commit(ctx)
}

// unitWriter writes the entries of a unit. A piece of content of at least rows.MinChunk
// becomes a chunk. Smaller pieces of consecutive entries share chunks, so the number of
// chunks depends on the amount of content and not on the number of files.
type unitWriter struct {
	sink    *Sink
	unit    manifest.Unit
	earlier *earlier

	open  *manifest.Item // the open entry; nil if none
	start int            // offset of its content in shared
	ended bool

	shared []byte // small content that is not stored yet
	cut    rows.Cutter
	// waiting holds the closed entries with content in shared, and the entries after
	// them. Each adds record bytes to the size that cut sees, which bounds their number.
	waiting []manifest.Item

	list    manifest.ListEncoder
	listCut rows.Cutter
}

// record is the number of bytes that cut adds for each entry.
const record = 256

// pendingChunk marks a Ref into shared. The chunk ID is not known until it is stored.
var pendingChunk object.ID

func newUnitWriter(s *Sink, u stage.Unit, e *earlier) *unitWriter {
	w := &unitWriter{sink: s, unit: manifest.Unit{ID: u.ID, Part: u.Part, Table: u.Table, List: []object.ID{}}, earlier: e}
	w.list.Reset()
	return w
}

var errEnded = errors.New("the unit has ended")

func (w *unitWriter) Open(_ context.Context, e stage.Entry) error {
	switch {
	case w.ended:
		return errEnded
	case w.open != nil:
		return fmt.Errorf("%s is opened before %s is closed", e.Path, w.open.Path)
	}
	if err := manifest.CheckPath(e.Path); err != nil {
		return err
	}
	w.open = &manifest.Item{Entry: e}
	w.start = len(w.shared)
	return nil
}

func (w *unitWriter) Write(ctx context.Context, data []byte) error {
	switch {
	case w.open == nil:
		return errors.New("content is written where no entry is open")
	case len(data) == 0:
		return nil
	case len(data) < rows.MinChunk:
		return w.writeSmall(ctx, data)
	}
	id, err := w.sink.chunks.Store(ctx, pack.ContentBlob, data)
	if err != nil {
		return fmt.Errorf("%s: %w", w.open.Path, err)
	}
	w.open.Refs = append(w.open.Refs, object.Ref{Chunk: id, Length: uint32(len(data))})
	return nil
}

func (w *unitWriter) writeRows(ctx context.Context, c stage.Chunk) error {
	before := w.unit.Proof.Rows
	if err := w.unit.Proof.AddChunk(c.Data); err != nil {
		return fmt.Errorf("%s: %w", w.open.Path, err)
	}
	n := w.unit.Proof.Rows - before
	if n != int64(c.Rows) {
		return fmt.Errorf("%s: a chunk that says %d rows holds %d", w.open.Path, c.Rows, n)
	}
	id, err := w.sink.chunks.Store(ctx, pack.ContentBlob, c.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", w.open.Path, err)
	}
	w.open.Refs = append(w.open.Refs, object.Ref{Chunk: id, Length: uint32(len(c.Data)), Rows: uint32(n)})
	return nil
}

func (w *unitWriter) writeSmall(ctx context.Context, data []byte) error {
	// Before considers closed entries only; the open one may consist of many small pieces.
	if w.cut.Before(len(w.shared)-w.start+len(data)+record) || len(w.shared)+len(data) > rows.MaxChunk {
		if err := w.flushShared(ctx); err != nil {
			return err
		}
	}
	at := uint32(len(w.shared))
	w.shared = append(w.shared, data...)
	if n := len(w.open.Refs); n > 0 {
		if last := &w.open.Refs[n-1]; last.Chunk == pendingChunk && last.Offset+last.Length == at {
			last.Length += uint32(len(data))
			return nil
		}
	}
	w.open.Refs = append(w.open.Refs, object.Ref{Chunk: pendingChunk, Offset: at, Length: uint32(len(data))})
	return nil
}

func (w *unitWriter) Close(ctx context.Context, d stage.Digest) error {
	if w.open == nil {
		return errors.New("an entry is closed that is not open")
	}
	it := w.open
	w.open = nil
	if got := it.Bytes(); d != (stage.Digest{}) && got != d.Bytes {
		return fmt.Errorf("%s: %d bytes were written, and the digest says %d", it.Path, got, d.Bytes)
	}
	it.Digest = d
	return w.add(ctx, it, len(w.shared)-w.start)
}

// Same adds an unchanged file with its content from the previous snapshot.
func (w *unitWriter) Same(ctx context.Context, e stage.Entry) error {
	switch {
	case w.ended:
		return errEnded
	case w.open != nil:
		return fmt.Errorf("%s is given before %s is closed", e.Path, w.open.Path)
	}
	before, err := w.earlier.item(e)
	if err != nil {
		return err
	}
	return w.add(ctx, &manifest.Item{Entry: e, Digest: before.Digest, Refs: before.Refs}, 0)
}

// add adds a complete entry; small is the number of its bytes in shared.
func (w *unitWriter) add(ctx context.Context, it *manifest.Item, small int) error {
	w.unit.Entries++
	w.unit.Bytes += it.Bytes()
	if it.Kind == stage.File {
		w.unit.Files++
	}
	if len(w.shared) == 0 {
		return w.addToList(ctx, it)
	}
	w.waiting = append(w.waiting, *it)
	// If there was a cut inside the entry, only the part after it is in shared.
	if w.cut.After([]byte(it.Path), small+record) {
		return w.flushShared(ctx)
	}
	return nil
}

// flushShared stores the shared chunk, and lists the entries that waited for its ID.
func (w *unitWriter) flushShared(ctx context.Context) error {
	if len(w.shared) == 0 {
		return nil
	}
	id, err := w.sink.chunks.Store(ctx, pack.ContentBlob, w.shared)
	if err != nil {
		return fmt.Errorf("unit %s: %w", w.unit.ID, err)
	}
	w.shared, w.start = w.shared[:0], 0
	for i := range w.waiting {
		resolve(&w.waiting[i], id)
		if err := w.addToList(ctx, &w.waiting[i]); err != nil {
			return err
		}
		w.waiting[i] = manifest.Item{}
	}
	w.waiting = w.waiting[:0]
	if w.open != nil {
		resolve(w.open, id)
	}
	return nil
}

func resolve(it *manifest.Item, id object.ID) {
	for i := range it.Refs {
		if it.Refs[i].Chunk == pendingChunk {
			it.Refs[i].Chunk = id
		}
	}
}

func (w *unitWriter) addToList(ctx context.Context, it *manifest.Item) error {
	before := len(w.list.Buf)
	if err := w.list.Append(it); err != nil {
		return err
	}
	if w.listCut.After([]byte(it.Path), len(w.list.Buf)-before) {
		return w.flushList(ctx)
	}
	return nil
}

func (w *unitWriter) flushList(ctx context.Context) error {
	if w.list.Items == 0 {
		return nil
	}
	id, err := w.sink.chunks.Store(ctx, pack.ListBlob, w.list.Buf)
	if err != nil {
		return fmt.Errorf("unit %s: %w", w.unit.ID, err)
	}
	w.unit.List = append(w.unit.List, id)
	w.list.Reset()
	return nil
}

// Drop discards the open entry. Chunks of it that are already stored remain unused.
func (w *unitWriter) Drop(context.Context) error {
	if w.open == nil {
		return errors.New("an entry is dropped that is not open")
	}
	w.shared = w.shared[:w.start]
	w.open = nil
	return nil
}

// Loss does nothing; Finish receives all losses.
func (w *unitWriter) Loss(context.Context, stage.Loss) error { return nil }

func (w *unitWriter) Commit(ctx context.Context) (*stage.Receipt, error) {
	switch {
	case w.ended:
		return nil, errEnded
	case w.open != nil:
		return nil, fmt.Errorf("unit %s is committed before %s is closed", w.unit.ID, w.open.Path)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := w.flushShared(ctx); err != nil {
		return nil, err
	}
	if err := w.flushList(ctx); err != nil {
		return nil, err
	}
	w.ended = true
	w.sink.commit(w.unit)
	r := &stage.Receipt{Rows: w.unit.Proof.Rows}
	if w.unit.Part != stage.DB {
		r.Files, r.Bytes = w.unit.Files, w.unit.Bytes
	}
	return r, nil
}

func (w *unitWriter) Abort(context.Context) error {
	w.ended, w.open, w.shared, w.waiting = true, nil, nil, nil
	return nil
}
