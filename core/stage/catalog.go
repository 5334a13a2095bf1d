package stage

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// Catalog is what keeps finished snapshots: a repository, a cloud, a folder of
// archives. Commands list, describe, read, verify and remove snapshots through it and
// know nothing of how they are stored. It is safe for concurrent use, except for
// Close, which is called last and once.
//
// A snapshot is named by a Choice, or by an ID that List or Describe has returned.
// What else a catalog can do is in the optional interfaces Browser and Manifester.
//
// # Errors
//
// Of class failure.Usage: no snapshot matches. Of class failure.Refused: the Choice is
// ambiguous, or a lock, a missing right or a missing key forbids the call. Errors of
// stored data wrap ErrCorrupt or ErrNotExist, those of a wrong passphrase ErrKey.
type Catalog interface {
	// List returns the snapshots that c matches, the newest first; Parts and Tables may
	// be left out. c.Snapshot is ignored. A snapshot that
	// can't be read is listed with its error, whatever c says: nobody knows what it
	// matches. An empty list is no error, unless c names something.
	List(ctx context.Context, c Choice) ([]Listed, error)
	// Describe returns the snapshot that c names, in full. Without c.Snapshot it is Latest.
	Describe(ctx context.Context, c Choice) (*Snapshot, error)
	// Open returns a source of the snapshot that c names, which is looked up when the
	// source plans. Close it before the catalog.
	Open(ctx context.Context, c Choice) (Source, error)
	// Remove removes snapshots, or says what it would remove. It may be repeated after
	// any error: a snapshot is either still there and whole, or gone.
	Remove(ctx context.Context, r RemoveRequest) (*Removed, error)
	// Verify reads what is stored and proves it. It goes on after damage and returns
	// all of it in the report; the error is for what kept it from looking.
	Verify(ctx context.Context, r VerifyRequest) (*Verified, error)
	Close(ctx context.Context) error
}

// Browser is a Catalog that gives the entries of a snapshot without a run. It is optional.
type Browser interface {
	Catalog
	// Entries calls fn for each entry but tables, which Describe names; its error ends
	// it and is returned. What can't be named for damage is an error after all others.
	Entries(ctx context.Context, id string, fn func(StoredEntry) error) error
	// Cat writes the content of an entry to w: the bytes of a file, or the rows of a
	// table as text (package rows). It is checked while it is written.
	Cat(ctx context.Context, id, path string, w io.Writer) error
}

// Manifester is a Catalog that keeps a document of each snapshot. It is optional.
type Manifester interface {
	Catalog
	// Manifest returns the document as a JSON object, with everything that is stored.
	Manifest(ctx context.Context, id string) (json.RawMessage, error)
}

// Snapshot describes a finished backup. It is plain data.
type Snapshot struct {
	ID       string // sorts as the snapshots were made
	Start    time.Time
	End      time.Time
	Host     string
	Pipeline string // its name
	Site     string // a Moodle site's own identifier; "" for none
	SiteName string
	Version  string // of the vault that made it
	Tags     []string
	Facts    map[string]string
	Signer   string            // the public key of who signed it, as text; "" for nobody
	Original *Original         // nil unless it was copied from elsewhere
	Parts    map[string]Amount // what it holds, by part: DB, Filedir …
	Tables   []SnapshotTable
	Losses   []Loss
	Notes    []Note
	Lacks    map[LossKind]int64 // what the site had and the snapshot doesn't: its losses by kind
	Totals   Totals
	// Skipped notes the newer snapshots that Describe skipped to reach this one,
	// because nobody who is trusted has signed them; nil for none.
	Skipped *Note
}

// SelectionFact is the fact by which a snapshot says that it was made with a
// selection: the selections that it was made with, as JSON, one in each line.
const SelectionFact = "selection"

// Selected reports whether the snapshot was made with a selection, so that it holds
// only a part of the site on purpose.
func (s *Snapshot) Selected() bool { return s.Facts[SelectionFact] != "" }

// Partial reports whether the snapshot holds less than its site did: it was made
// with a selection or with losses.
func (s *Snapshot) Partial() bool { return s.Selected() || len(s.Lacks) > 0 }

// Original names the snapshot that another is a copy of.
type Original struct {
	Repository string `json:"repository"` // its ID
	Snapshot   string `json:"snapshot"`
}

// SnapshotTable is a table of a snapshot.
type SnapshotTable struct {
	TableProof
	Bytes   int64 // of rows
	Dropped int64 // rows that transforms left out on purpose
}

// Totals of a snapshot.
type Totals struct {
	Entries int64 `json:"entries"`
	Files   int64 `json:"files"`
	Rows    int64 `json:"rows"`
	Bytes   int64 `json:"bytes"`     // of content
	New     int64 `json:"new_bytes"` // of these, not stored before
	Stored  int64 `json:"stored"`    // bytes that the backup added to the storage
}

// Listed is a snapshot in a list, or why it can't be read.
type Listed struct {
	ID       string
	Snapshot *Snapshot // nil if it can't be read
	Err      error
}

// StoredEntry is an entry of a snapshot.
type StoredEntry struct {
	Entry
	Digest Digest // of a file
	Bytes  int64  // of content
}

// RemoveRequest says which snapshots Remove removes: those of IDs, or those that Keep
// does not keep.
type RemoveRequest struct {
	IDs []string // or beginnings of one ID only; then the next two are not looked at
	// Keep says what stays of the snapshots that Of matches. It is asked for each site
	// and pipeline on its own, and while nobody else removes snapshots.
	Keep   Keeper
	Of     Choice
	DryRun bool // remove nothing
}

// Keeper says which snapshots stay.
type Keeper interface {
	// Keep returns for each ID of one site and pipeline, the newest first, why it
	// stays; nil for one that goes.
	Keep(ids []string, now time.Time) [][]string
	// String says what the rule is; a record of the removal keeps it.
	String() string
}

// Removed is what Remove did, or would do. The lists begin with the oldest.
type Removed struct {
	Keep    []Kept
	Remove  []*Snapshot
	Skipped []Listed // that can't be read: a Keeper is not asked for them, and they stay
}

// Kept is a snapshot that stays, and why.
type Kept struct {
	Snapshot *Snapshot
	Reasons  []string
}

// VerifyRequest says what Verify proves.
type VerifyRequest struct {
	// Want names a snapshot, or without Want.Snapshot all that it matches. The zero
	// Choice is everything that is stored, also what no snapshot needs.
	Want Choice
	// Subset proves a part of the content only: N/M, the Nth of M parts, or P%, a
	// random choice. It needs the zero Choice, and recomputes no proofs.
	Subset string
	// Report is told of the bytes that were read, from one goroutine at a time; it may be nil.
	Report func(done, total int64)
}

// Verified is what Verify found.
type Verified struct {
	Damage     []Finding
	Checked    []*Snapshot // that were proved, the newest first, as List returns them
	Unreadable []Listed    // that could not be proved; each is in Damage, too
	Snapshots  int         // number of snapshots that there are
}

// Finding is something damaged in the storage, and what it held.
type Finding struct {
	Object    string   `json:"object"` // its name in the storage
	Chunk     string   `json:"chunk,omitempty"`
	Problem   string   `json:"problem"`
	Snapshots []string `json:"snapshots,omitempty"` // that need it
	Entries   []string `json:"entries,omitempty"`   // that are lost with it; not all, if they are many
	Lost      int64    `json:"lost"`                // how many entries that are, in all those snapshots
}
