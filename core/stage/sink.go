package stage

import (
	"context"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// Sink writes a part of a site, or a snapshot of all of it. It is a RowSink, a
// FileSink or both.
//
// The order of calls: Check; then, unless it is a plan or a dry run, Begin,
// WriteRows and WriteFiles for each unit (many at once), Finish, Prove, Publish.
// Abort instead of what remains when the run failed or was interrupted. Close
// always, last.
//
// A unit is open from WriteRows or WriteFiles to Commit or Abort. Until a Commit
// has returned a receipt it may be begun again after any failure, also one of
// Commit, whose answer may have been lost: the target then holds its rows and
// files once. What comes is the same in every attempt.
//
// Nothing in these signatures depends on being in the same process.
type Sink interface {
	// Check looks whether the plan can be written, and changes nothing: target
	// reachable, rights there, empty or to be replaced, types and names can be
	// held, space is enough. What forbids the run is an error of class failure.Refused.
	Check(ctx context.Context, p *Plan) (Findings, error)
	// Begin prepares the target: replaces or creates tables, without secondary indexes.
	Begin(ctx context.Context, p *Plan) error
	// Finish completes the target after the last unit: indexes, sequences,
	// directory times; a repository commits its snapshot.
	Finish(ctx context.Context, o *Outcome) error
	// Prove reads back what was written and says what it found. A sink of
	// tables gives a proof for each; a sink of files has proved each while
	// committing its unit, or returns an error of class failure.Unproven that names the file.
	Prove(ctx context.Context) ([]TableProof, error)
	// Publish makes the proven target count as whole: until then whoever looks at
	// it is told that it is not. A repository's snapshot counts since Finish. When
	// it returns an error, the target may count as whole all the same, until Abort.
	Publish(ctx context.Context) error
	// Abort leaves the target such that nobody takes it for whole, and says so in
	// the error of a later use. It is also called after Finish, when the proof
	// failed or too much was lost, and after a Publish that returned an error;
	// never after one that returned nil.
	Abort(ctx context.Context) error
	Close(ctx context.Context) error
}

// RowSink is a sink of the units of Part DB.
type RowSink interface {
	Sink
	// WriteRows starts to take a unit. A RowUnit is used by one goroutine; many are
	// open at once, but never two of one unit.
	WriteRows(ctx context.Context, u Unit) (RowUnit, error)
}

// FileSink is a sink of the units of all other parts.
type FileSink interface {
	Sink
	// WriteFiles starts to take a unit. A FileUnit is used by one goroutine; many
	// are open at once, but never two of one unit.
	WriteFiles(ctx context.Context, u Unit) (FileUnit, error)
}

// RowUnit is the rows of one unit on their way into a target.
type RowUnit interface {
	RowWriter
	Ending
}

// FileUnit is the files of one unit on their way into a target.
type FileUnit interface {
	FileWriter
	Ending
}

// Ending is how a unit ends: with Commit, or Abort. An error that is Temporary,
// of these or of the unit's writes, means that the unit may be begun again.
type Ending interface {
	// Commit makes the unit's content safe in the target. Where a target counts
	// only as a whole, it may become durable as late as Finish.
	Commit(ctx context.Context) (*Receipt, error)
	// Abort gives the unit up and frees what it holds; it does nothing after a
	// Commit that returned nil.
	Abort(ctx context.Context) error
}

// Receipt is what a target says of a unit that it has committed. It is plain data.
type Receipt struct {
	Rows  int64 // that the target took: those that were written, without the refused
	Files int64 // that the target took
	Bytes int64 // of these files
	// Losses are the rows that the target refused, each of kind LossRow with table,
	// key, column and the server's reason, and what else of the unit's entries
	// the target could not keep (LossTime).
	Losses []Loss
	// State is the sink's own: what it wants to know of this unit when the run is
	// resumed. Others keep it as it is.
	State []byte
}

// Findings is what Check found: what would be lost, and what else is worth knowing.
type Findings struct {
	Losses []Loss
	Notes  []Note
}

// BaselineSink is a sink that may still have files from an earlier snapshot. It
// is optional.
type BaselineSink interface {
	FileSink
	// Baseline returns what it has of a unit, called before WriteFiles; nil for nothing.
	Baseline(ctx context.Context, u Unit) (Baseline, error)
}

// SnapshotSink is a sink that adds a snapshot to earlier ones, as a repository
// does; other sinks are the site itself. It is optional, and runs in Vault's own
// process: the calls cross no border. After Finish its snapshot exists and is not
// given up by an error of later steps; Abort and Publish leave earlier ones alone.
type SnapshotSink interface {
	Sink
	// Previous returns what the newest earlier snapshot of the plan's pipeline and
	// site holds; nil if there is none, or none that this pipeline can read. It is
	// called once, after Check, and changes nothing.
	Previous(ctx context.Context, p *Plan) (*Holdings, error)
	// Summary describes what Finish has stored; the zero value before.
	Summary() Summary
}

// Summary describes the snapshot that a run has made.
type Summary struct {
	Snapshot string `json:"snapshot"`
	Where    string `json:"where"`        // the name of its object in the storage
	Plain    int64  `json:"plain_bytes"`  // of the whole snapshot
	New      int64  `json:"new_bytes"`    // of these, not stored before
	Stored   int64  `json:"stored_bytes"` // written for them, compressed and sealed
}

// Holdings is how much a snapshot holds.
type Holdings struct {
	Snapshot string            // its id
	Parts    map[string]Amount // by part: DB, Filedir …
}

// Amount is how much of a part there is.
type Amount struct {
	Files int64 // of a database 0
	Rows  int64 // of a database
	Bytes int64 // of content
}

// Outcome is what the run knows when all units are written.
type Outcome struct {
	Tables []TableProof // as the source read them, by name
	Facts  map[string]string
	Losses []Loss
	Notes  []Note
	// Dropped counts the rows, by table, that transforms left out on purpose on
	// the way to this sink. Tables without any are missing.
	Dropped map[string]int64
}

// TableProof is what was read of a table: from a source, or back from a target.
type TableProof struct {
	Schema schema.Table
	Sum    rows.Sum
	// Losses of a target are what its rows did not let Finish make: indexes, named by LostIndex.
	Losses []Loss
}
