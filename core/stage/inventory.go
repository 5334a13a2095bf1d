package stage

import (
	"maps"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/selection"
)

// Inventory describes what a source will read.
type Inventory struct {
	Tables []TableInfo // complete schema, including empty tables
	Units  []Unit      // every table has at least one unit
	// Facts describe the site and are stored in the snapshot. Names are documented: engine
	// ("MariaDB 10.11.19"), dialect, prefix, charset, collation, consistency (the guarantee
	// that the tables are read with), position, and those of package moodle. A fact whose
	// name begins with SecretFacts is never printed.
	Facts map[string]string
	// Location identifies the database that is read, whatever address it was reached by; a
	// sink of the same dialect refuses to write to it. It is "" for a source without a
	// database and for a stored snapshot, and is never stored. Directories are compared by
	// the engine.
	Location string
	// Snapshot is the ID of the stored snapshot that is read; "" for a live site.
	Snapshot string
	Losses   []Loss // losses known before reading
	// Recorded lists the losses that a stored snapshot was made with. The run counts them
	// with Losses, for parts that a target holds, and does not count a loss again that it
	// detects itself.
	Recorded []Loss
	Notes    []Note // what is left out or differs on purpose
	// Excluded lists what the selection left out: every table, and at least one path for
	// each file pattern. A rule without an entry here counts as matching nothing.
	Excluded []selection.Excluded
	// Session is what another process needs to Join this snapshot; nil if that is not
	// possible.
	Session Session
}

// SecretFacts begins the names of facts that are stored in snapshots and handed to stages, but
// not shown in results, plans and catalogs. A stage in a process of its own gets only those
// that Info.SecretFacts names.
const SecretFacts = "secret_"

// KnownFacts returns a copy of facts without the secret ones that are not among names; nil
// for nil.
func KnownFacts(facts map[string]string, names []string) map[string]string {
	known := maps.Clone(facts)
	maps.DeleteFunc(known, func(name, _ string) bool {
		return strings.HasPrefix(name, SecretFacts) && !slices.Contains(names, name)
	})
	return known
}

// PublicFacts returns a copy of facts without those that are secret; nil for nil.
func PublicFacts(facts map[string]string) map[string]string {
	return KnownFacts(facts, nil)
}

// TableInfo is a table of an Inventory or a Plan.
type TableInfo struct {
	Schema schema.Table
	Rows   int64 // estimate; exact where Proof is set
	Bytes  int64 // estimate
	// Proof is the proof of the rows if it is known before they are read, as for a stored
	// snapshot; nil otherwise.
	Proof *rows.Sum
}

// Plan describes what a sink will receive: the tables as this sink will hold them, after
// the type map, and totals.
type Plan struct {
	Pipeline string // name of the pipeline
	Tables   []TableInfo
	Parts    []string          // DB, Filedir …: the parts to come
	Facts    map[string]string // facts of all sources
	// Locations lists the databases that the run reads, see Inventory.Location. Check
	// refuses if the sink would write to one of them.
	Locations []string
	// Snapshots lists the stored snapshots that the run reads, see Inventory.Snapshot.
	Snapshots []string
	Files     int64   // estimate
	Bytes     int64   // estimate
	Workers   int     // maximum number of units open at once
	Replace   Replace // how to treat what the target already holds
	// Preserve lists what is kept in the target whatever Replace says, as the sink defines
	// it: tables without prefix, paths below a directory.
	Preserve []string
}

// Loss records items that could not be transferred, grouped by cause. The sum of Count for
// each Kind is compared with the loss budget.
type Loss struct {
	Kind   LossKind `json:"kind"`
	Path   string   `json:"path"`            // the entry or object: db/user, dataroot/x
	Where  string   `json:"where,omitempty"` // position in it: "id=5 column name"
	Reason string   `json:"reason"`
	Count  int64    `json:"count"` // at least 1
	// Row is the row that a target refused, as the sink received it, without its newline.
	// The proof is computed without it. It is never stored.
	Row []byte `json:"-"`
}

// LostIndex is the loss of a planned index, or of the primary key if index is "". A sink
// that reports an index this way is not expected to have it in its proof.
func LostIndex(table, index, reason string) Loss {
	where := "index " + index
	if index == "" {
		where = "primary key"
	}
	return Loss{Kind: LossIndex, Path: DB + "/" + table, Where: where, Reason: reason, Count: 1}
}

// LostSequence is the loss of a table's planned sequence. A sink that reports it this way
// is not expected to have it in its proof.
func LostSequence(table, column, reason string) Loss {
	return Loss{Kind: LossDefault, Path: DB + "/" + table, Where: "sequence of column " + column, Reason: reason, Count: 1}
}

// LostDefault is the loss of a column's planned default. A sink that reports it this way is
// not expected to have it in its proof.
func LostDefault(table, column, reason string) Loss {
	return Loss{Kind: LossDefault, Path: DB + "/" + table, Where: "column " + column, Reason: reason, Count: 1}
}

// LossKind is the kind of a loss, as named in --accept-loss.
type LossKind string

// The kinds of loss.
const (
	LossTable      LossKind = "table"
	LossColumn     LossKind = "column" // a generated column, or a type that the target does not support
	LossRow        LossKind = "row"    // refused by the target
	LossIndex      LossKind = "index"
	LossDefault    LossKind = "default"
	LossConstraint LossKind = "constraint" // CHECK, FOREIGN KEY
	LossView       LossKind = "view"
	LossTrigger    LossKind = "trigger"
	LossRoutine    LossKind = "routine"         // functions, procedures, events
	LossMissing    LossKind = "missing_file"    // a content hash in table files whose file does not exist
	LossUnreadable LossKind = "unreadable_file" // permission, I/O error
	LossChanged    LossKind = "changed_file"    // changed or vanished while it was read
	LossCorrupt    LossKind = "corrupt_file"    // content that doesn't match the SHA-1 in its name; it is kept under its name
	LossSpecial    LossKind = "special_file"    // socket, FIFO, device
	LossTime       LossKind = "file_time"       // a modification time that the target's file system can't store
	LossOutside    LossKind = "outside_link"    // what a symlink out of the data root points to; the link itself is kept
	LossStored     LossKind = "stored_data"     // something in a repository is damaged
	LossPart       LossKind = "missing_part"    // a part of the site that is empty or far smaller than in the previous snapshot
)

// LossKinds lists the kinds of loss.
func LossKinds() []LossKind {
	return []LossKind{
		LossTable, LossColumn, LossRow, LossIndex, LossDefault, LossConstraint, LossView, LossTrigger, LossRoutine,
		LossMissing, LossUnreadable, LossChanged, LossCorrupt, LossSpecial, LossTime, LossOutside, LossStored, LossPart,
	}
}

// Note describes something left out or done differently on purpose: an exclusion, a
// fallback, tables of other programs. Notes never fail a run.
type Note struct {
	Path string `json:"path"`
	Text string `json:"text"`
}
