package stage

import "context"

// Source reads a part of a site, or a stored snapshot of one.
//
// Plan is called once. Read is called afterwards, for any unit of the plan, by
// many goroutines at once, for one unit once. Close ends everything, also after
// an error or a cancelled context; Reads have returned by then.
//
// Nothing in these signatures depends on being in the same process.
type Source interface {
	// Plan finds what there is and fixes the moment that all Reads see (the
	// database's snapshot). A source of files plans at least one unit, also
	// where it finds no file, and reports a part of which it finds nothing at
	// all as a Loss of kind LossPart whose path is the part: a directory that is
	// not mounted is empty. The engine drops the one of Filedir where the tables
	// of the run name no content.
	Plan(ctx context.Context) (*Inventory, error)
	// Read writes the unit's entries to w, in the unit's own order, the same
	// every time. known tells what the receiver has already; nil: nothing.
	// What can't be read is written to w as a Loss, and reading goes on; an
	// error ends the unit and the run.
	Read(ctx context.Context, unit Unit, known Known, w Writer) error
	Close(ctx context.Context) error
}

// Counter is a source that counts a table's rows without reading them. It is
// optional: the run compares the counts with the rows that were read.
type Counter interface {
	Source
	// Count returns how many rows a table of the plan has at the moment that all
	// Reads see: by a way other than Read's, so that a mistake there is found. -1
	// means that this can't be told. It is called after Plan for any table, by many
	// goroutines at once and beside Reads, and returns before Close.
	Count(ctx context.Context, table string) (int64, error)
}

// Known is what the receiver of a unit still has from the snapshot before:
// fingerprints of files by path. It is plain data, and read only.
type Known map[string]string

// Writer takes what a source reads from one unit. It is used by one goroutine.
//
// A unit of Part DB opens exactly one entry, its table, even if no row follows.
// For each entry: Open, any number of Writes, Close; only tables and files have
// Writes. An error from any of them ends Read, which returns it such that
// errors.Is finds it: as it is, or wrapped with %w.
type Writer interface {
	Open(ctx context.Context, e Entry) error
	// Write hands over the next piece of the open entry's content. The bytes
	// belong to the caller again when Write returns.
	Write(ctx context.Context, c Chunk) error
	Close(ctx context.Context, d Digest) error
	// Same stands for Open, Writes and Close of a file whose path and
	// fingerprint are in Known: its content is not read again.
	Same(ctx context.Context, e Entry) error
	// Drop undoes Open: the entry's content could not be read to its end. The
	// caller reports a Loss too.
	Drop(ctx context.Context) error
	Loss(ctx context.Context, l Loss) error
}

// Chunk is a bounded piece of an entry's content: at most rows.MaxChunk bytes,
// but for a table's single row that is larger. Chunks of a table hold whole rows
// in the form of package rows and end where rows.Cutter says; those of a file
// are cut every rows.MaxChunk bytes.
type Chunk struct {
	Data []byte
	Rows int
}
