package conformance

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// Item is an entry with its content, as received by a writer.
type Item struct {
	Entry  stage.Entry
	Digest stage.Digest
	Chunks []stage.Chunk
	Same   bool // its content was not read
}

// Content returns the joined chunks.
func (i *Item) Content() []byte {
	var b []byte
	for _, c := range i.Chunks {
		b = append(b, c.Data...)
	}
	return b
}

// recorder is a FileWriter that checks the order and form of the calls; rowRecorder turns
// it into a RowWriter. If fail is set, the call number failAt returns it.
type recorder struct {
	t      testing.TB
	unit   stage.Unit
	table  *schema.Table // for a unit of rows
	items  []Item
	losses []stage.Loss
	open   bool
	calls  int
	failAt int
	fail   error
	before func(ctx context.Context) error // called first in every call
}

func (r *recorder) call(ctx context.Context) error {
	if r.fail != nil && r.calls >= r.failAt && r.failAt > 0 {
		r.t.Errorf("unit %s: call after a failed call", r.unit.ID)
	}
	if r.calls++; r.calls == r.failAt {
		return r.fail
	}
	if r.before != nil {
		return r.before(ctx)
	}
	return nil
}

func (r *recorder) errorf(format string, args ...any) {
	r.t.Errorf("unit %s: "+format, append([]any{r.unit.ID}, args...)...)
}

func (r *recorder) Open(ctx context.Context, e stage.Entry) error {
	if err := r.call(ctx); err != nil {
		return err
	}
	if r.open {
		r.errorf("%s is opened before %s is closed", e.Path, r.last().Entry.Path)
	}
	r.checkEntry(e)
	r.open = true
	r.items = append(r.items, Item{Entry: e})
	return nil
}

func (r *recorder) checkEntry(e stage.Entry) {
	if err := checkPath(e.Path); err != nil {
		r.errorf("%v", err)
	}
	if part, _, _ := strings.Cut(e.Path, "/"); part != r.unit.Part {
		r.errorf("entry %q does not belong to part %s", e.Path, r.unit.Part)
	}
	if e.Mode&^0o7777 != 0 {
		r.errorf("entry %q has mode bits outside 07777: %o", e.Path, e.Mode)
	}
	if o := e.Owner; !o.Known && o != (stage.Owner{}) || max(o.UID, o.GID) > stage.MaxID {
		r.errorf("entry %q has owner %+v; an unknown owner must be the zero value, and IDs are at most %d", e.Path, o, uint32(stage.MaxID))
	}
	if !slices.Contains([]stage.Kind{stage.File, stage.Dir, stage.Symlink, stage.Document}, e.Kind) {
		r.errorf("entry %q has unknown kind %q", e.Path, e.Kind)
	}
	if (e.Target != "") != (e.Kind == stage.Symlink) {
		r.errorf("entry %q is a %s with target %q", e.Path, e.Kind, e.Target)
	}
}

func (r *recorder) last() *Item { return &r.items[len(r.items)-1] }

func (r *recorder) Write(ctx context.Context, data []byte) error {
	if err := r.call(ctx); err != nil {
		return err
	}
	if !r.open {
		r.errorf("content without an open entry")
		return nil
	}
	item := r.last()
	if k := item.Entry.Kind; k != stage.File && k != stage.Document {
		r.errorf("%s has content although it is a %s", item.Entry.Path, k)
	}
	if len(data) == 0 || len(data) > rows.MaxChunk {
		r.errorf("%s: piece of %d bytes", item.Entry.Path, len(data))
	}
	if n := len(item.Chunks); n > 0 && item.Entry.Kind == stage.File && len(item.Chunks[n-1].Data) != rows.MaxChunk {
		r.errorf("%s: piece of %d bytes is not the last; all others must have %d", item.Entry.Path, len(item.Chunks[n-1].Data), rows.MaxChunk)
	}
	item.Chunks = append(item.Chunks, stage.Chunk{Data: bytes.Clone(data)})
	return nil
}

// rowRecorder records the rows of a unit as one item, its table.
type rowRecorder struct{ *recorder }

func (r rowRecorder) Write(ctx context.Context, c stage.Chunk) error {
	if err := r.call(ctx); err != nil {
		return err
	}
	item := r.last()
	if len(c.Data) == 0 {
		r.errorf("empty chunk")
	}
	if len(c.Data) > rows.MaxChunk && c.Rows != 1 {
		r.errorf("chunk of %d bytes", len(c.Data))
	}
	r.checkRows(c)
	item.Chunks = append(item.Chunks, stage.Chunk{Data: bytes.Clone(c.Data), Rows: c.Rows})
	return nil
}

// read makes a source write the recorder's unit to it.
func (r *recorder) read(ctx context.Context, s stage.Source, known stage.Baseline) error {
	request := stage.ReadRequest{Unit: r.unit, Baseline: known}
	if r.unit.Part != stage.DB {
		source, ok := s.(stage.FileSource)
		if !ok {
			return fmt.Errorf("unit %s has files, but the source is not a stage.FileSource", r.unit.ID)
		}
		return source.ReadFiles(ctx, request, r)
	}
	source, ok := s.(stage.RowSource)
	if !ok {
		return fmt.Errorf("unit %s has rows, but the source is not a stage.RowSource", r.unit.ID)
	}
	r.items = []Item{{Entry: stage.Entry{Path: stage.DB + "/" + r.unit.Table, Kind: stage.Table}}}
	if err := source.ReadRows(ctx, request, rowRecorder{r}); err != nil {
		return err
	}
	r.checkCuts(r.last())
	return nil
}

func (r *recorder) checkRows(c stage.Chunk) {
	n := 0
	var cells [][]byte
	for data := c.Data; ; n++ {
		row, rest, ok, err := rows.Next(data)
		if err != nil {
			r.errorf("%v", err)
		}
		if !ok {
			break
		}
		data = rest
		if cells = rows.Split(cells, row); len(cells) != len(r.table.Columns) {
			r.errorf("row with %d cells, but the table has %d columns: %q", len(cells), len(r.table.Columns), row)
		}
		for _, cell := range cells {
			if rows.IsNull(cell) {
				continue
			}
			if _, err := rows.Unescape(nil, cell); err != nil {
				r.errorf("cell %q: %v", cell, err)
			}
		}
	}
	if n != c.Rows {
		r.errorf("chunk reported with %d rows has %d", c.Rows, n)
	}
}

// checkCuts checks that a table's chunks end where rows.Cutter says.
func (r *recorder) checkCuts(item *Item) {
	key := r.table.Key()
	var got, want []int
	for _, c := range item.Chunks {
		got = append(got, len(c.Data))
	}
	b := rows.NewBuilder(func(_ context.Context, data []byte, _ int) error {
		want = append(want, len(data))
		return nil
	})
	data := item.Content()
	var cells [][]byte
	for {
		row, rest, ok, err := rows.Next(data)
		if !ok || err != nil {
			break
		}
		data = rest
		b.Buf = append(b.Buf, row...)
		var keyCells [][]byte
		cells = rows.Split(cells, row)
		for _, at := range key {
			keyCells = append(keyCells, cells[at])
		}
		if err := b.End(context.Background(), bytes.Join(keyCells, []byte{'\t'})); err != nil {
			r.errorf("%v", err)
		}
	}
	if err := b.Flush(context.Background()); err != nil {
		r.errorf("%v", err)
	}
	if !slices.Equal(got, want) {
		r.errorf("chunks of %s have sizes %v, want %v as cut by rows.Cutter", item.Entry.Path, got, want)
	}
}

func (r *recorder) Close(ctx context.Context, d stage.Digest) error {
	if err := r.call(ctx); err != nil {
		return err
	}
	if !r.open {
		r.errorf("close without an open entry")
		return nil
	}
	r.open = false
	item := r.last()
	item.Digest = d
	if item.Entry.Kind == stage.File {
		r.checkDigest(item)
	}
	return nil
}

func (r *recorder) checkDigest(item *Item) {
	content := item.Content()
	sum := func(h hash.Hash) string { h.Write(content); return hex.EncodeToString(h.Sum(nil)) }
	d, path := item.Digest, item.Entry.Path
	if d.Bytes != int64(len(content)) {
		r.errorf("%s: the digest says %d bytes, received %d", path, d.Bytes, len(content))
	}
	if d.SHA1 == "" && d.SHA256 == "" {
		r.errorf("%s: no digest", path)
	}
	if (d.SHA1 != "") != (r.unit.Part == stage.Filedir) {
		r.errorf("%s: SHA-1 is required for files of filedir and for no others: %+v", path, d)
	}
	if d.SHA1 != "" && d.SHA1 != sum(sha1.New()) {
		r.errorf("%s: SHA-1 %s does not match the content", path, d.SHA1)
	}
	if d.SHA256 != "" && d.SHA256 != sum(sha256.New()) {
		r.errorf("%s: SHA-256 %s does not match the content", path, d.SHA256)
	}
}

func (r *recorder) Same(ctx context.Context, e stage.Entry) error {
	if err := r.call(ctx); err != nil {
		return err
	}
	if r.open {
		r.errorf("%s is written before %s is closed", e.Path, r.last().Entry.Path)
	}
	if e.Kind != stage.File {
		r.errorf("Same called for %s, which is a %s", e.Path, e.Kind)
	}
	r.checkEntry(e)
	r.items = append(r.items, Item{Entry: e, Same: true})
	return nil
}

func (r *recorder) Drop(ctx context.Context) error {
	if err := r.call(ctx); err != nil {
		return err
	}
	if !r.open {
		r.errorf("drop without an open entry")
		return nil
	}
	r.open = false
	r.items = r.items[:len(r.items)-1]
	return nil
}

func (r *recorder) Loss(ctx context.Context, l stage.Loss) error {
	if err := r.call(ctx); err != nil {
		return err
	}
	if err := checkLoss(l); err != nil {
		r.errorf("%v", err)
	}
	r.losses = append(r.losses, l)
	return nil
}

func checkLoss(l stage.Loss) error {
	if l.Count < 1 || l.Path == "" || l.Reason == "" || !slices.Contains(stage.LossKinds(), l.Kind) {
		return fmt.Errorf("loss without kind, path, reason or count: %+v", l)
	}
	return nil
}

func checkPath(path string) error {
	for element := range strings.SplitSeq(path, "/") {
		if element == "" || element == "." || element == ".." {
			return fmt.Errorf("path %q is not clean and relative", path)
		}
	}
	if strings.Contains(path, "\x00") {
		return errors.New("path contains a NUL byte")
	}
	return nil
}
