package stage

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// Catalog manages finished snapshots: a repository, a cloud service, a directory of
// archives. Commands list, describe, read, verify and remove snapshots through it without
// knowing how they are stored. All methods except Close are safe for concurrent use; Close
// is called once, last.
//
// A snapshot is selected by a Choice, or by an ID that List or Describe returned. Browser
// and Manifester are optional interfaces of a Catalog.
//
// # Errors
//
// An error of class failure.Usage means that no snapshot matches. An error of class
// failure.Refused means that the Choice is ambiguous, or that a lock, a missing permission
// or a missing key prevents the call. Errors about damaged data wrap ErrCorrupt or
// ErrNotExist; a wrong passphrase or key is ErrKey.
type Catalog interface {
	// List returns the snapshots that match c, newest first. It may leave Parts and Tables
	// empty, and ignores c.Snapshot. A snapshot that can't be read is always listed, with
	// its error, since it may match. An empty list is an error only if c selects something.
	List(ctx context.Context, c Choice) ([]Listed, error)
	// Describe returns the snapshot selected by c, in full. An empty c.Snapshot means
	// Latest.
	Describe(ctx context.Context, c Choice) (*Snapshot, error)
	// Open returns a source that reads the snapshot selected by c. The snapshot is looked
	// up when the source plans. Close the source before the catalog.
	Open(ctx context.Context, c Choice) (Source, error)
	// Remove removes snapshots, or reports what it would remove. It may be repeated after
	// any error: each snapshot is then either intact or gone.
	Remove(ctx context.Context, r RemoveRequest) (*Removed, error)
	// Verify reads stored data and checks it. It continues after damage and reports all of
	// it in Verified; an error means that the check itself could not be completed.
	Verify(ctx context.Context, r VerifyRequest) (*Verified, error)
	Close(ctx context.Context) error
}

// Browser is an optional interface of a Catalog: it reads entries of a snapshot without a
// run.
type Browser interface {
	Catalog
	// Entries calls fn for each entry except tables, which Describe returns. An error from
	// fn stops it and is returned. Entries that can't be listed because of damage are
	// reported as an error after all others.
	Entries(ctx context.Context, id string, fn func(StoredEntry) error) error
	// Cat writes the content of an entry to w: the bytes of a file, or the rows of a table
	// as text (see package rows). The content is verified as it is written.
	Cat(ctx context.Context, id, path string, w io.Writer) error
}

// Manifester is an optional interface of a Catalog that keeps a manifest of each snapshot.
type Manifester interface {
	Catalog
	// Manifest returns the stored manifest as a JSON object, without the values of secret
	// facts.
	Manifest(ctx context.Context, id string) (json.RawMessage, error)
}

// Snapshot describes a finished backup. It is plain data.
type Snapshot struct {
	ID       string // sorts by creation time
	Start    time.Time
	End      time.Time
	Host     string
	Pipeline string // name of the pipeline
	Site     string // identifier of the Moodle site; "" if there is none
	SiteName string
	Version  string // version of Vault that created the snapshot
	Tags     []string
	Facts    map[string]string // without secret ones, see SecretFacts
	Signer   string            // public key of the signer, as text; "" if unsigned
	Original *Original         // nil unless the snapshot was copied from another repository
	Parts    map[string]Amount // content by part: DB, Filedir …
	Tables   []SnapshotTable
	Losses   []Loss
	Notes    []Note
	Log      []LogEntry         // of the run, until the snapshot was stored
	Lacks    map[LossKind]int64 // what the site had and the snapshot lacks: losses by kind
	Totals   Totals
	// Skipped lists the newer snapshots that Describe skipped because no trusted signer
	// signed them; nil if there are none.
	Skipped *Note
}

// SelectionFact is the fact that records the selections a snapshot was made with, as JSON,
// one per line.
const SelectionFact = "selection"

// Selected reports whether the snapshot was made with a selection and so holds only part of
// the site by intention.
func (s *Snapshot) Selected() bool { return s.Facts[SelectionFact] != "" }

// Partial reports whether the snapshot holds less than its site did: it was made with a
// selection or with losses.
func (s *Snapshot) Partial() bool { return s.Selected() || len(s.Lacks) > 0 }

// Original identifies the snapshot that a copy was made from.
type Original struct {
	Repository string `json:"repository"` // repository ID
	Snapshot   string `json:"snapshot"`
}

// SnapshotTable is a table of a snapshot.
type SnapshotTable struct {
	TableProof
	Bytes   int64 // size of the rows
	Dropped int64 // rows left out by transforms on purpose
	Added   int64 // rows that transforms added, among those of Sum
}

// Totals are the sizes of a snapshot.
type Totals struct {
	Entries int64 `json:"entries"`
	Files   int64 `json:"files"`
	Rows    int64 `json:"rows"`
	Bytes   int64 `json:"bytes"`     // size of the content
	New     int64 `json:"new_bytes"` // part of Bytes that was not stored before
	Stored  int64 `json:"stored"`    // bytes that the backup added to the storage
}

// Listed is a snapshot in a list, or the reason why it can't be read.
type Listed struct {
	ID       string
	Snapshot *Snapshot // nil if it can't be read
	Err      error
}

// StoredEntry is an entry of a snapshot.
type StoredEntry struct {
	Entry
	Digest Digest // of a file
	Bytes  int64  // size of the content
}

// RemoveRequest selects the snapshots that Remove removes: those in IDs, or those that Keep
// does not keep.
type RemoveRequest struct {
	IDs []string // IDs or unambiguous prefixes; if set, Keep and Of are ignored
	// Keep decides which of the snapshots that match Of are kept. It is called once for
	// each site and pipeline, while no other process can remove snapshots.
	Keep   Keeper
	Of     Choice
	DryRun bool // remove nothing
}

// Keeper decides which snapshots are kept.
type Keeper interface {
	// Keep returns for each ID the reasons to keep that snapshot, or nil to remove it. ids
	// are the snapshots of one site and pipeline, newest first.
	Keep(ids []string, now time.Time) [][]string
	// String describes the rule for the record of the removal.
	String() string
}

// Removed reports what Remove did, or would do. The lists are sorted oldest first.
type Removed struct {
	Keep    []Kept
	Remove  []*Snapshot
	Skipped []Listed // unreadable snapshots; they are kept, and Keeper is not asked about them
}

// Kept is a snapshot that is kept, and why.
type Kept struct {
	Snapshot *Snapshot
	Reasons  []string
}

// VerifyRequest selects what Verify checks.
type VerifyRequest struct {
	// Want selects a snapshot or, with an empty Want.Snapshot, all that match. The zero
	// Choice means everything stored, including data that no snapshot uses.
	Want Choice
	// Subset limits the check to a part of the content: N/M is the Nth of M parts, P% a
	// random sample. It requires the zero Choice and does not recompute proofs.
	Subset string
	// Report, if not nil, is called with the number of bytes read so far. Calls do not
	// overlap.
	Report func(done, total int64)
}

// Verified reports what Verify found.
type Verified struct {
	Damage     []Finding
	Checked    []*Snapshot // snapshots that were checked, newest first, as List returns them
	Unreadable []Listed    // snapshots that could not be checked; each is also in Damage
	Snapshots  int         // total number of snapshots
}

// Finding describes one damaged object in the storage and what is affected.
type Finding struct {
	Object    string   `json:"object"` // name in the storage
	Chunk     string   `json:"chunk,omitempty"`
	Problem   string   `json:"problem"`
	Snapshots []string `json:"snapshots,omitempty"` // IDs of the snapshots that need it
	Entries   []string `json:"entries,omitempty"`   // affected entries; truncated if there are many
	Lost      int64    `json:"lost"`                // number of affected entries in all those snapshots
}
