package stage

import (
	"context"

	"github.com/lmsvault/vault/core/schema"
)

// RecordTransform changes tables and their rows on the way to one sink. It is safe for
// concurrent use. It may also be a Closer.
type RecordTransform interface {
	// Table describes how a table will look in a target of the given dialect ("" for a
	// repository), what of it is lost, and whether its rows must pass through Rows.
	Table(ctx context.Context, t schema.Table, target string) (Mapped, error)
	// Rows appends the rows of c to dst as table m.Schema holds them, and returns their
	// number. It may leave rows out, which the run counts and reports, but adds none; see
	// Adder. The caller may reuse c after Rows returns.
	Rows(ctx context.Context, m Mapped, dst []byte, c Chunk) (data []byte, kept int, err error)
}

// Preparer is an optional interface of a RecordTransform that depends on what is read or
// on something outside the run.
type Preparer interface {
	RecordTransform
	// Prepare is called once, after the sources are planned and before Table. p is what the
	// sources have, before transforms; it must not be changed. If the run must not start,
	// the error is of class failure.Refused.
	Prepare(ctx context.Context, p *Plan) (Findings, error)
}

// Adder is an optional interface of a RecordTransform that adds rows.
type Adder interface {
	RecordTransform
	// Added appends to dst the rows that the transform adds to a table with Mapped.Adds, as
	// m.Schema has them, and returns their number. The run passes them on with one unit of
	// the table and calls Added for each attempt of it; the rows are the same each time.
	//
	// Their keys must differ from those of the rows that are read: take numbers from
	// Mapped.From.Sequence.Next on, and set Mapped.Schema.Sequence.Next above them.
	Added(ctx context.Context, m Mapped, dst []byte) (data []byte, rows int, err error)
}

// Closer is an optional interface of a RecordTransform. Close is called once, after all
// sinks are closed.
type Closer interface {
	Close(ctx context.Context) error
}

// Mapped is a table as changed by a RecordTransform.
type Mapped struct {
	From    schema.Table
	Schema  schema.Table
	Rewrite bool // rows must pass through Rows: it changes their bytes or leaves some out
	Adds    bool // rows come from Added as well
	Losses  []Loss
	Notes   []Note
}

// ByteTransform changes the bytes that go to storage, one blob at a time, each independent
// of the others. It is safe for concurrent use.
type ByteTransform interface {
	// Apply appends the transformed src to dst. name identifies the blob and its
	// repository; a transform that authenticates must bind the name.
	Apply(ctx context.Context, dst, src []byte, name string) ([]byte, error)
	// Invert appends to dst what was passed to Apply. Bytes that Apply did not produce for
	// this name are an error. limit is the maximum number of bytes to append.
	Invert(ctx context.Context, dst, src []byte, name string, limit int) ([]byte, error)
}

// Keyed is a ByteTransform with its own key, which a repository stores in a sealed header.
type Keyed interface {
	ByteTransform
	// Create makes a new key and returns the header that Open needs. The header may be
	// public.
	Create(ctx context.Context) (header []byte, err error)
	// CanOpen reports whether the transform has the secret that Open needs. Without it, it
	// can only seal with a key from Create.
	CanOpen() bool
	// Open recovers the key from header. A key may have several headers; the caller tries
	// one after the other. Open returns ErrKey if the given secret does not fit the header.
	// It returns ErrOtherKey if the transform was opened for writing with a different key;
	// the caller can then Create a new one. It returns ErrOtherReaders, which is an
	// ErrOtherKey, if it could open the header, but the header admits other readers.
	Open(ctx context.Context, header []byte) error
}

// Sharer is an optional interface of a Keyed transform that can admit other readers to its
// key. It is not used for transforms in other processes, because a key never leaves its
// process.
type Sharer interface {
	Keyed
	// Share returns another header of the key that was created or opened last, for the
	// readers of with: a transform of the same stage that was opened for writing. It
	// returns ErrExist, wrapped, if one of headers already admits exactly these readers.
	Share(ctx context.Context, with ByteTransform, headers [][]byte) (header []byte, err error)
	// Readers describes who can open a header, such as "a passphrase". It needs no key.
	Readers(header []byte) (string, error)
}
