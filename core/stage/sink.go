package stage

import (
	"context"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// Sink writes a part of a site, or a snapshot of all of it.
//
// The order of calls: Check; then, unless it is a plan or a dry run, Begin, Unit
// for each unit (many at once), Finish, Prove, Publish. Abort instead of what
// remains when the run failed or was interrupted. Close always, last.
//
// Nothing in these signatures depends on being in the same process.
type Sink interface {
	// Check looks whether the plan can be written, and changes nothing: target
	// reachable, rights there, empty or to be replaced, types and names can be
	// held, space is enough. What would be lost comes back as losses; what
	// forbids the run is an error of class failure.Refused.
	Check(ctx context.Context, p *Plan) ([]Loss, []Note, error)
	// Begin prepares the target: replaces or creates tables, without secondary indexes.
	Begin(ctx context.Context, p *Plan) error
	// Unit starts to take a unit. A UnitWriter is used by one goroutine; many are open at once.
	Unit(ctx context.Context, u Unit) (UnitWriter, error)
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

// UnitWriter is a Writer whose unit ends with Commit, or is given up with Abort.
type UnitWriter interface {
	Writer
	// Commit makes the unit's content safe in the target. Where a target counts
	// only as a whole, it may become durable as late as Finish.
	Commit(ctx context.Context) error
	// Refused lists the rows that the target refused, each a Loss of kind
	// LossRow that names table, key, column and the server's reason, and what
	// else of its entries the target could not keep (LossTime). It is called
	// after Commit; a sink that refuses none returns nil.
	Refused() []Loss
	// Abort gives the unit up and frees what it holds; it does nothing after Commit.
	Abort(ctx context.Context) error
}

// Knower is a sink that may still have files from an earlier snapshot.
type Knower interface {
	// Known returns what it has of a unit, called before Unit; nil for nothing.
	Known(ctx context.Context, u Unit) (Known, error)
}

// Historian is a sink that keeps earlier backups. It is optional. Only a
// repository is one, and it runs in Vault's own process, so the call crosses no
// border.
type Historian interface {
	// Previous returns what the newest earlier snapshot of the plan's pipeline and
	// site holds; nil if there is none, or none that this pipeline can read. It is
	// called once, after Check, and changes nothing.
	Previous(ctx context.Context, p *Plan) (*Holdings, error)
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
}

// TableProof is what was read of a table: from a source, or back from a target.
type TableProof struct {
	Schema schema.Table
	Sum    rows.Sum
	// Losses of a target are what its rows did not let Finish make: indexes, named by LostIndex.
	Losses []Loss
}
