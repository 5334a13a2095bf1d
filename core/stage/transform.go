package stage

import (
	"context"

	"github.com/lmsvault/vault/core/schema"
)

// RecordTransform changes tables and their rows on the way to one sink. It is
// safe for concurrent use. One that is a Closer, too, is told of its end.
type RecordTransform interface {
	// Table says how a table will look in a target of this dialect ("" for a
	// repository), what of it is lost, and whether rows must pass through Rows.
	Table(ctx context.Context, t schema.Table, target string) (Mapped, error)
	// Rows appends to dst the rows of c as table m.Schema holds them, and returns
	// how many these are. It may leave rows out: the run counts them, and says so
	// in its result. It adds none. c belongs to the caller again when Rows returns.
	Rows(ctx context.Context, m Mapped, dst []byte, c Chunk) (data []byte, kept int, err error)
}

// Closer is a RecordTransform that is closed, last, when all sinks are. It is optional.
type Closer interface {
	Close(ctx context.Context) error
}

// Mapped is a table after a RecordTransform.
type Mapped struct {
	From    schema.Table
	Schema  schema.Table
	Rewrite bool // rows must pass through Rows: their bytes change, or some are left out
	Losses  []Loss
	Notes   []Note
}

// ByteTransform changes the bytes that go to storage, one blob at a time and
// each on its own. It is safe for concurrent use.
type ByteTransform interface {
	// Apply appends the transformed src to dst. name is the blob's, and says what it
	// is and of which repository; a transform that authenticates must bind it.
	Apply(ctx context.Context, dst, src []byte, name string) ([]byte, error)
	// Invert appends to dst what Apply was given. Bytes that Apply never made
	// for a blob of this name are an error; limit is the most that may be appended.
	Invert(ctx context.Context, dst, src []byte, name string, limit int) ([]byte, error)
}

// Keyed is a ByteTransform that works under a key of its own, which a repository
// keeps for it in a sealed header.
type Keyed interface {
	ByteTransform
	// Create makes a new key and returns the header that Open needs, safe to be seen by anyone.
	Create(ctx context.Context) (header []byte, err error)
	// CanOpen tells whether it was given what Open needs: without, it can only
	// seal under a key it creates itself.
	CanOpen() bool
	// Open recovers the key. ErrKey: what it was given doesn't fit this header.
	// ErrOtherKey, of one that is made to write: it doesn't seal under this
	// header's key, and can Create another.
	Open(ctx context.Context, header []byte) error
}
