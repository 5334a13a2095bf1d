package stage

import (
	"context"

	"github.com/lmsvault/vault/core/selection"
)

// Source reads a part of a site, or a stored snapshot of one. It is a RowSource,
// a FileSource or both.
//
// Plan is called once. Reads are called afterwards, for any unit of the plan, by
// many goroutines at once. Close ends everything, also after an error or a
// cancelled context; Reads have returned by then.
//
// Nothing in these signatures depends on being in the same process.
type Source interface {
	// Plan finds what there is and fixes the moment that all Reads see (the
	// database's snapshot). A source of files plans at least one unit, also
	// where it finds no file, and reports a part of which it finds nothing at
	// all as a Loss of kind LossPart whose path is the part: a directory that is
	// not mounted is empty. The engine drops the one of Filedir where the tables
	// of the run name no content.
	Plan(ctx context.Context, r PlanRequest) (*Inventory, error)
	Close(ctx context.Context) error
}

// RowSource is a source of the units of Part DB.
type RowSource interface {
	Source
	// ReadRows writes the rows of the unit's table to w, in the unit's own order.
	// What can't be read is written to w as a Loss, and reading goes on. An error
	// ends the reading; after one that is Temporary the unit may be read again, from
	// its beginning: it has the same rows then, in the same order. A source whose
	// snapshot was lost with the failed reading returns an error that is not Temporary.
	ReadRows(ctx context.Context, r ReadRequest, w RowWriter) error
}

// FileSource is a source of the units of all other parts.
type FileSource interface {
	Source
	// ReadFiles writes the unit's entries to w, in the unit's own order, the same
	// every time. For losses and errors see RowSource.
	ReadFiles(ctx context.Context, r ReadRequest, w FileWriter) error
}

// PlanRequest is what a source is told before it plans.
type PlanRequest struct {
	Pipeline string // its name
	// Selection says what is read. A source leaves out everything of its parts that
	// it excludes, and reports it in Inventory.Excluded; Count counts what is left. A
	// condition or pattern that it can't apply is an error of class failure.Refused
	// that names it. The engine checks what comes: a source that gives more than
	// was selected fails the run.
	Selection selection.Selection
}

// ReadRequest is what a source is asked for.
type ReadRequest struct {
	Unit Unit
	// Baseline is what the receiver has of the unit already; nil: nothing.
	Baseline Baseline
}

// Counter is a source that counts a table's rows without reading them. It is
// optional: the run compares the counts with the rows that were read.
type Counter interface {
	Source
	// Count returns how many rows a table of the plan has at the moment that all
	// Reads see: by a way other than ReadRows's, so that a mistake there is found. -1
	// means that this can't be told. It is called after Plan for any table, by many
	// goroutines at once and beside Reads, and returns before Close. After an error
	// that is Temporary it is called again.
	Count(ctx context.Context, table string) (int64, error)
}

// Joiner is a source whose snapshot another process can read, too. It is optional.
type Joiner interface {
	Source
	// Join is called in place of Plan, with a session that Plan gave in another
	// process, which keeps it open for as long as this one reads. Reads then see the
	// same moment, and units of that plan have the same content. A session that has
	// ended is an error.
	Join(ctx context.Context, s Session) error
}

// Session describes a source's snapshot such that another process can join it.
// It is plain data, holds no secret, and is worthless when the source is closed.
type Session []byte

// Baseline is what the receiver of a unit still has from the snapshot before:
// fingerprints of files by path. It is plain data, and read only.
type Baseline map[string]string

// RowWriter takes the rows of one unit. It is used by one goroutine. An error
// from it ends the read, which returns it such that errors.Is finds it: as it is,
// or wrapped with %w.
type RowWriter interface {
	// Write hands over the next rows. The bytes belong to the caller again when
	// Write returns.
	Write(ctx context.Context, c Chunk) error
	Loss(ctx context.Context, l Loss) error
}

// FileWriter takes the entries of one unit: files, directories, links,
// documents. It is used by one goroutine; for its errors see RowWriter.
//
// For each entry: Open, any number of Writes, Close; only files and documents
// have Writes.
type FileWriter interface {
	Open(ctx context.Context, e Entry) error
	// Write hands over the next piece of the open entry's content, at most
	// rows.MaxChunk bytes. They belong to the caller again when Write returns.
	Write(ctx context.Context, data []byte) error
	Close(ctx context.Context, d Digest) error
	// Same stands for Open, Writes and Close of a file whose path and
	// fingerprint are in the baseline: its content is not read again.
	Same(ctx context.Context, e Entry) error
	// Drop undoes Open: the entry's content could not be read to its end. The
	// caller reports a Loss too.
	Drop(ctx context.Context) error
	Loss(ctx context.Context, l Loss) error
}

// Chunk is a bounded piece of a table: whole rows in the form of package rows,
// at most rows.MaxChunk bytes, but for a single row that is larger. It ends where
// rows.Cutter says.
type Chunk struct {
	Data []byte
	Rows int // in Data
}
