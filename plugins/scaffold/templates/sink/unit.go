package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
)

// unit is an sdk.FileUnit. It is used by one goroutine. Units are small, so it keeps its
// lines in memory until Commit.
type unit struct {
	sink  *sink
	lines []byte
	entry stage.Entry
	bytes int64 // size of the open entry so far
	taken stage.Receipt
}

func (u *unit) Open(_ context.Context, e stage.Entry) error {
	u.entry, u.bytes = e, 0
	return nil
}

// Write receives a piece of the open entry. Vault reuses data after Write returns, so copy
// what you keep.
func (u *unit) Write(_ context.Context, data []byte) error {
	u.bytes += int64(len(data))
	return nil
}

// Close ends the entry; d is what the source read.
func (u *unit) Close(_ context.Context, d stage.Digest) error {
	if u.entry.Kind != stage.File {
		return nil
	}
	if u.bytes != d.Bytes {
		return fmt.Errorf("got %d bytes of %s, the source read %d", u.bytes, u.entry.Path, d.Bytes)
	}
	u.taken.Files++
	u.taken.Bytes += d.Bytes
	u.lines = fmt.Appendf(u.lines, "%s %d %q\n", cmp.Or(d.SHA1, d.SHA256), d.Bytes, u.entry.Path)
	return nil
}

// Drop undoes Open.
func (u *unit) Drop(context.Context) error { return nil }

var errKnows = errors.New("this sink has no baseline") // it is not a stage.BaselineSink

func (u *unit) Same(context.Context, stage.Entry) error { return errKnows }

// Loss reports what the source could not read; the run counts it.
func (u *unit) Loss(context.Context, stage.Loss) error { return nil }

// Commit makes the unit's content safe.
func (u *unit) Commit(ctx context.Context) (*stage.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lines := u.lines
	u.lines = nil
	return &u.taken, u.sink.commit(lines)
}

// Abort discards the unit; it does nothing after Commit. The unit may be started again.
func (u *unit) Abort(context.Context) error {
	u.lines = nil
	return nil
}
