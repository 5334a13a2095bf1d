package stage

import (
	"context"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// Sink writes a part of a site, or a snapshot of all of it. It is a RowSink, a FileSink or
// both.
//
// Calls come in this order: Check; then, unless it is a plan or a dry run, Begin, WriteRows
// and WriteFiles for each unit (concurrently), Finish, Prove, Publish. If the run fails or
// is interrupted, Abort replaces the remaining calls. Close is always called last.
//
// A unit is open from WriteRows or WriteFiles until Commit or Abort. Until Commit has
// returned a receipt, the unit may be started again after any failure. That includes a
// failure of Commit, whose reply may have been lost: the target must then hold its rows and
// files once. Each attempt has the same content.
//
// Nothing in these signatures requires the same process.
type Sink interface {
	// Check reports whether the plan can be written, without changing anything: the target
	// is reachable, permissions suffice, it is empty or may be replaced, it supports the
	// types and names, there is enough space. If the run must not start, the error is of
	// class failure.Refused.
	Check(ctx context.Context, p *Plan) (Findings, error)
	// Begin prepares the target: it replaces or creates tables, without secondary indexes.
	Begin(ctx context.Context, p *Plan) error
	// Finish completes the target after the last unit: indexes, sequences, modification
	// times of directories. A repository commits its snapshot.
	Finish(ctx context.Context, o *Outcome) error
	// Prove reads back what was written. A sink of tables returns a proof for each table. A
	// sink of files has verified each file when its unit was committed, or returns an error
	// of class failure.Unproven that names the file.
	Prove(ctx context.Context) ([]TableProof, error)
	// Publish marks the proven target as complete; until then it is marked as incomplete
	// for all who look at it. A repository's snapshot is complete after Finish. After an
	// error the target may be marked complete or not, until Abort.
	Publish(ctx context.Context) error
	// Abort leaves the target so that nobody mistakes it for complete, and a later use of
	// it fails with an error that says so. It is also called after Finish, when the proof
	// failed or too much was lost, and after a Publish that returned an error; never after
	// one that returned nil.
	Abort(ctx context.Context) error
	Close(ctx context.Context) error
}

// RowSink is a sink for units of Part DB.
type RowSink interface {
	Sink
	// WriteRows starts a unit. Many units are open at once, each once. Each RowUnit is used
	// by one goroutine.
	WriteRows(ctx context.Context, u Unit) (RowUnit, error)
}

// FileSink is a sink for units of all other parts.
type FileSink interface {
	Sink
	// WriteFiles starts a unit. Many units are open at once, each once. Each FileUnit is
	// used by one goroutine.
	WriteFiles(ctx context.Context, u Unit) (FileUnit, error)
}

// RowUnit receives the rows of one unit.
type RowUnit interface {
	RowWriter
	Ending
}

// FileUnit receives the entries of one unit.
type FileUnit interface {
	FileWriter
	Ending
}

// Ending ends a unit, with Commit or Abort. A Temporary error, from these or from the
// unit's writes, means that the unit may be started again.
type Ending interface {
	// Commit makes the unit's content safe in the target. If the target is only usable as a
	// whole, the content may become durable as late as Finish.
	Commit(ctx context.Context) (*Receipt, error)
	// Abort discards the unit and frees its resources. It does nothing after Commit
	// returned nil.
	Abort(ctx context.Context) error
}

// Receipt reports what a target stored of a committed unit. It is plain data.
type Receipt struct {
	Rows  int64 // rows stored: those written, without the refused ones
	Files int64 // files stored
	Bytes int64 // size of these files
	// Losses are the rows that the target refused, each of kind LossRow with table, key,
	// column and the server's reason, and other properties of the unit's entries that the
	// target could not store (LossTime).
	Losses []Loss
	// State is private to the sink: what it needs to know about this unit when the run is
	// resumed. Nobody else interprets it.
	State []byte
}

// Findings is the result of Check: what would be lost, and notes.
type Findings struct {
	Losses []Loss
	Notes  []Note
}

// BaselineSink is an optional interface of a sink that may still have files from an earlier
// snapshot.
type BaselineSink interface {
	FileSink
	// Baseline returns what the sink has of a unit, or nil. It is called before WriteFiles.
	Baseline(ctx context.Context, u Unit) (Baseline, error)
}

// SnapshotSink is an optional interface of a sink that adds a snapshot to earlier ones, as
// a repository does; other sinks are the site itself. Its methods are not available to
// plugins. After Finish the snapshot exists and is kept even if a later step fails. Abort
// and Publish do not touch earlier snapshots.
type SnapshotSink interface {
	Sink
	// Previous reports the size of the newest earlier snapshot of the plan's pipeline and
	// site. It returns nil if there is none, or none that this pipeline can read. It is
	// called once, after Check, and changes nothing.
	Previous(ctx context.Context, p *Plan) (*Holdings, error)
	// Summary describes what Finish stored; before that it is the zero value.
	Summary() Summary
}

// Summary describes the snapshot that a run created.
type Summary struct {
	Snapshot string `json:"snapshot"`
	Where    string `json:"where"`        // name of its object in the storage
	Plain    int64  `json:"plain_bytes"`  // size of the whole snapshot
	New      int64  `json:"new_bytes"`    // part of Plain that was not stored before
	Stored   int64  `json:"stored_bytes"` // written to the storage, compressed and encrypted
}

// Holdings is the size of a snapshot.
type Holdings struct {
	Snapshot string            // its ID
	Parts    map[string]Amount // by part: DB, Filedir …
}

// Amount is the size of a part of a site.
type Amount struct {
	Files int64 // 0 for a database
	Rows  int64 // rows of a database
	Bytes int64 // size of the content
}

// Outcome is what the run knows after all units have been written.
type Outcome struct {
	Tables []TableProof // as the source read them, sorted by name
	Facts  map[string]string
	Losses []Loss
	Notes  []Note
	// Dropped counts, by table, the rows that transforms left out on purpose on the way to
	// this sink. Tables without any are missing.
	Dropped map[string]int64
	// Added counts, by table, the rows that transforms added on the way to this sink, likewise.
	Added map[string]int64
	// Log is the log of the run so far, for a repository. It is not passed to sinks in other
	// processes.
	Log []LogEntry
}

// TableProof is what was read of a table, from a source or back from a target.
type TableProof struct {
	Schema schema.Table
	Sum    rows.Sum
	// Losses of a target are indexes that Finish could not create because of the rows, see
	// LostIndex.
	Losses []Loss
}
