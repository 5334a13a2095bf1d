package stage

import (
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/selection"
)

// Inventory is what a source found.
type Inventory struct {
	Tables []TableInfo // whole structure, tables without rows too
	Units  []Unit      // every table has at least one unit
	// Facts about the site that the snapshot keeps, by documented names:
	// engine ("MariaDB 10.11.19"), dialect, prefix, charset, collation, consistency
	// (which guarantee the tables are read with), position, site (a Moodle site's
	// own identifier), site_name (its full name) …
	Facts map[string]string
	// Location identifies the database that is read, the same by whatever address it
	// was reached: a sink of this dialect refuses to write there. "" for a source
	// without a database and for a stored snapshot. No snapshot keeps it. Directories
	// are compared by the engine.
	Location string
	// Snapshot is the ID of the stored snapshot that is read; "" for a live site.
	Snapshot string
	Losses   []Loss // what can't be carried, known before reading
	// Recorded is what a stored snapshot lists as lost when it was made. The run
	// counts it with Losses, as far as a target holds its part, and does not count
	// it again where it finds the same by itself.
	Recorded []Loss
	Notes    []Note // what is left out or differs on purpose
	// Excluded lists what the selection left out: every table, and for each pattern
	// of files at least one path. What is not listed here counts as not found.
	Excluded []selection.Excluded
	// Session is what another process needs to Join this snapshot; nil where none can.
	Session Session
}

// TableInfo is a table of an Inventory or a Plan.
type TableInfo struct {
	Schema schema.Table
	Rows   int64 // estimate; exact where Proof is set
	Bytes  int64 // estimate
	// Proof of the rows where it is known before they are read (a snapshot's). nil elsewhere.
	Proof *rows.Sum
}

// Plan is what a sink is going to get: the tables as this sink will hold them
// (after the type map), and totals.
type Plan struct {
	Pipeline string // its name
	Tables   []TableInfo
	Parts    []string          // DB, Filedir …: what will come
	Facts    map[string]string // of all sources
	// Locations lists the databases that the run reads, see Inventory.Location. A
	// sink that would write to one of them refuses in Check.
	Locations []string
	// Snapshots lists the stored snapshots that the run reads, see Inventory.Snapshot.
	Snapshots []string
	Files     int64   // estimate
	Bytes     int64   // estimate
	Workers   int     // at most so many units are open at once
	Replace   Replace // what becomes of what the target holds
	// Preserve lists what of it stays whatever Replace says, in the sink's own words:
	// tables without prefix, paths below a directory.
	Preserve []string
}

// Loss records items that could not be transferred, grouped by cause: promise 1.
// The sum of Count by Kind is held against the loss budget.
type Loss struct {
	Kind   LossKind `json:"kind"`
	Path   string   `json:"path"`            // the entry or object: db/user, dataroot/x
	Where  string   `json:"where,omitempty"` // inside it: "id=5 column name"
	Reason string   `json:"reason"`
	Count  int64    `json:"count"` // at least 1
	// Row is the row that a target refused, as the sink got it, without its
	// newline: the proof counts without it. It is never stored.
	Row []byte `json:"-"`
}

// LostIndex is the loss of a planned index; "" stands for the primary key. A sink
// reports such an index by this: the run then does not expect it in the proof.
func LostIndex(table, index, reason string) Loss {
	where := "index " + index
	if index == "" {
		where = "primary key"
	}
	return Loss{Kind: LossIndex, Path: DB + "/" + table, Where: where, Reason: reason, Count: 1}
}

// LostSequence is the loss of a table's planned sequence. A sink reports it by
// this: the run then does not expect it in the proof.
func LostSequence(table, column, reason string) Loss {
	return Loss{Kind: LossDefault, Path: DB + "/" + table, Where: "sequence of column " + column, Reason: reason, Count: 1}
}

// LostDefault is the loss of a planned column's default. A sink reports it by this:
// the run then does not expect it in the proof.
func LostDefault(table, column, reason string) Loss {
	return Loss{Kind: LossDefault, Path: DB + "/" + table, Where: "column " + column, Reason: reason, Count: 1}
}

// LossKind names what was lost; the names are those of --accept-loss.
type LossKind string

// The kinds of loss.
const (
	LossTable      LossKind = "table"
	LossColumn     LossKind = "column" // a generated column, a type that the target can't hold
	LossRow        LossKind = "row"    // refused by the target
	LossIndex      LossKind = "index"
	LossDefault    LossKind = "default"
	LossConstraint LossKind = "constraint" // CHECK, FOREIGN KEY
	LossView       LossKind = "view"
	LossTrigger    LossKind = "trigger"
	LossRoutine    LossKind = "routine"         // functions, procedures, events
	LossMissing    LossKind = "missing_file"    // a content hash that table files names and nobody has
	LossUnreadable LossKind = "unreadable_file" // permission, I/O error
	LossChanged    LossKind = "changed_file"    // changed or vanished while it was read
	LossCorrupt    LossKind = "corrupt_file"    // content that doesn't have the SHA-1 it is named by; it is kept under its name
	LossSpecial    LossKind = "special_file"    // socket, FIFO, device
	LossTime       LossKind = "file_time"       // a modification time that the target's file system can't hold
	LossOutside    LossKind = "outside_link"    // what lies behind a link that leads out of the data root; the link is kept
	LossStored     LossKind = "stored_data"     // something in a repository is damaged
	LossPart       LossKind = "missing_part"    // a part of the site that is empty, or far smaller than in the previous snapshot
)

// LossKinds lists the kinds of loss.
func LossKinds() []LossKind {
	return []LossKind{
		LossTable, LossColumn, LossRow, LossIndex, LossDefault, LossConstraint, LossView, LossTrigger, LossRoutine,
		LossMissing, LossUnreadable, LossChanged, LossCorrupt, LossSpecial, LossTime, LossOutside, LossStored, LossPart,
	}
}

// Note says what was left out or done differently on purpose: an exclusion, a
// fallback, tables of other programs. Notes never fail a run.
type Note struct {
	Path string `json:"path"`
	Text string `json:"text"`
}
