package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
)

// unit is the sdk.FileUnit. One goroutine uses it. Its lines wait in memory:
// units are small enough for that.
type unit struct {
	sink  *sink
	lines []byte
	entry stage.Entry
	bytes int64 // of the open entry
	taken stage.Receipt
}

func (u *unit) Open(_ context.Context, e stage.Entry) error {
	u.entry, u.bytes = e, 0
	return nil
}

// Write takes a piece of the open entry. The bytes are Vault's again when it
// returns: what is kept must be copied.
func (u *unit) Write(_ context.Context, data []byte) error {
	u.bytes += int64(len(data))
	return nil
}

// Close ends the entry; d is what its source read.
func (u *unit) Close(_ context.Context, d stage.Digest) error {
	if u.entry.Kind != stage.File {
		return nil
	}
	if u.bytes != d.Bytes {
		return fmt.Errorf("%d bytes of %s came, and %d were read", u.bytes, u.entry.Path, d.Bytes)
	}
	u.taken.Files++
	u.taken.Bytes += d.Bytes
	u.lines = fmt.Appendf(u.lines, "%s %d %q\n", cmp.Or(d.SHA1, d.SHA256), d.Bytes, u.entry.Path)
	return nil
}

// Drop undoes Open.
func (u *unit) Drop(context.Context) error { return nil }

var errKnows = errors.New("this sink knows nothing of earlier runs") // it is no stage.BaselineSink

func (u *unit) Same(context.Context, stage.Entry) error { return errKnows }

// Loss tells what the source could not read; the run counts it.
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

// Abort gives the unit up; nothing after Commit. The unit may be begun again.
func (u *unit) Abort(context.Context) error {
	u.lines = nil
	return nil
}
