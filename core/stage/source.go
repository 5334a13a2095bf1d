package stage

import (
	"context"

	"github.com/lmsvault/vault/core/selection"
)

// Source reads a part of a site, or a stored snapshot of one. It is a RowSource,
// a FileSource or both.
//
// Plan is called once. Reads follow, for any unit of the plan, from many goroutines at
// once. Close is called last, also after an error or a cancelled context, when all Reads
// have returned.
//
// Nothing in these signatures requires the same process.
type Source interface {
	// Plan finds what there is and fixes the point in time that all Reads see (the
	// database's snapshot). A source of files plans at least one unit, even if it finds no
	// file. It reports a part that is entirely empty as a Loss of kind LossPart whose path
	// is the part, because a directory that is not mounted is empty. The engine drops that
	// loss for Filedir if the tables of the run name no content.
	Plan(ctx context.Context, r PlanRequest) (*Inventory, error)
	Close(ctx context.Context) error
}

// RowSource is a source of units of Part DB.
type RowSource interface {
	Source
	// ReadRows writes the rows of the unit's table to w, in the unit's own order. It
	// reports what can't be read to w as a Loss and continues. After a Temporary error the
	// unit may be read again from its beginning, and then has the same rows in the same
	// order. A source whose snapshot is lost returns an error that is not Temporary.
	ReadRows(ctx context.Context, r ReadRequest, w RowWriter) error
}

// FileSource is a source of units of all other parts.
type FileSource interface {
	Source
	// ReadFiles writes the unit's entries to w, in the same order each time. Losses and
	// errors are handled as in RowSource.
	ReadFiles(ctx context.Context, r ReadRequest, w FileWriter) error
}

// PlanRequest is the argument of Plan.
type PlanRequest struct {
	Pipeline string // name of the pipeline
	// Selection defines what to read. A source leaves out everything that it excludes and
	// reports it in Inventory.Excluded; Count counts only the rest. If the source can't
	// apply a condition or pattern, it returns an error of class failure.Refused that names
	// it. The engine checks what it receives: a run fails if a source returns more than was
	// selected.
	Selection selection.Selection
}

// ReadRequest is the argument of ReadRows and ReadFiles.
type ReadRequest struct {
	Unit Unit
	// Baseline is what the receiver already has of the unit; nil means nothing.
	Baseline Baseline
}

// Counter is an optional interface of a source that can count a table's rows without
// reading them. The run compares the count with the rows that were read.
type Counter interface {
	Source
	// Count returns the number of rows that a table of the plan has at the point in time
	// that all Reads see, or -1 if it can't be determined. It must not use the code path of
	// ReadRows, so that it detects errors there. It is called after Plan and returns before
	// Close, for any table, from many goroutines at once and concurrently with Reads. It is
	// repeated after a Temporary error.
	Count(ctx context.Context, table string) (int64, error)
}

// Joiner is an optional interface of a source whose snapshot can also be read by another
// process.
type Joiner interface {
	Source
	// Join is called instead of Plan, with a Session returned by Plan in another process,
	// which keeps that session open while this one reads. Reads then see the same point in
	// time, and units of that plan have the same content. Joining a session that has ended
	// is an error.
	Join(ctx context.Context, s Session) error
}

// Session describes a source's snapshot so that another process can join it. It is plain
// data, contains no secret, and is worthless once the source is closed.
type Session []byte

// Baseline maps the paths of files that the receiver of a unit has from an earlier snapshot
// to their fingerprints. It is plain data and must not be modified.
type Baseline map[string]string

// RowWriter receives the rows of one unit. It is used by one goroutine. If a method returns
// an error, the read stops and returns that error, as it is or wrapped with %w.
type RowWriter interface {
	// Write passes on the next rows. The caller may reuse the bytes after Write returns.
	Write(ctx context.Context, c Chunk) error
	Loss(ctx context.Context, l Loss) error
}

// FileWriter receives the entries of one unit: files, directories, symlinks, documents. It
// is used by one goroutine; errors are handled as in RowWriter.
//
// For each entry the calls are Open, any number of Writes, Close. Only files and documents
// have Writes.
type FileWriter interface {
	Open(ctx context.Context, e Entry) error
	// Write passes on the next piece of the open entry's content, at most rows.MaxChunk
	// bytes. The caller may reuse the bytes after Write returns.
	Write(ctx context.Context, data []byte) error
	Close(ctx context.Context, d Digest) error
	// Same replaces Open, Writes and Close for a file whose path and fingerprint are in the
	// baseline: its content is not read again.
	Same(ctx context.Context, e Entry) error
	// Drop undoes Open if the content could not be read to the end. The caller also reports
	// a Loss.
	Drop(ctx context.Context) error
	Loss(ctx context.Context, l Loss) error
}

// Chunk is a bounded piece of a table: whole rows as defined by package rows, at most
// rows.MaxChunk bytes, except that a larger row is a chunk of its own. rows.Cutter decides
// where a chunk ends.
type Chunk struct {
	Data []byte
	Rows int // in Data
}
