package sdk

import (
	"context"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// The contracts, under the names that authors need most. They are those of
// packages core/stage and core/config.
type (
	Stage           = stage.Stage
	Info            = stage.Info
	Env             = stage.Env
	Storage         = stage.Storage
	Object          = stage.Object
	Creator         = stage.Creator
	Capacity        = stage.Capacity
	Limiter         = stage.Limiter
	Limits          = stage.Limits
	Source          = stage.Source
	RowSource       = stage.RowSource
	FileSource      = stage.FileSource
	Counter         = stage.Counter
	Joiner          = stage.Joiner
	Noter           = stage.Noter
	Sink            = stage.Sink
	RowSink         = stage.RowSink
	FileSink        = stage.FileSink
	ByteTransform   = stage.ByteTransform
	RecordTransform = stage.RecordTransform
	Action          = stage.Action
	Secret          = config.Secret
	Size            = config.Size
	Duration        = config.Duration
	Literal         = config.Literal
)

// Embed the one of your stage's role: it goes on compiling when the contract gets a
// method, and need not have what it is never asked for.
type (
	UnimplementedStorage         = stage.UnimplementedStorage
	UnimplementedSource          = stage.UnimplementedSource
	UnimplementedSink            = stage.UnimplementedSink
	UnimplementedByteTransform   = stage.UnimplementedByteTransform
	UnimplementedRecordTransform = stage.UnimplementedRecordTransform
	UnimplementedAction          = stage.UnimplementedAction
)

// What passes between Vault and a stage.
type (
	PlanRequest = stage.PlanRequest // what a source is told before it plans
	ReadRequest = stage.ReadRequest // what a source is asked for
	Inventory   = stage.Inventory   // what a source found
	Session     = stage.Session     // what another process joins a snapshot by
	TableInfo   = stage.TableInfo   // a table of an Inventory or a Plan
	Unit        = stage.Unit        // what is read on its own
	Entry       = stage.Entry       // a file, a directory …
	Owner       = stage.Owner       // the user and group of an entry
	Chunk       = stage.Chunk       // rows
	Digest      = stage.Digest      // what was read of an entry
	Baseline    = stage.Baseline    // fingerprints of files that the receiver has
	RowWriter   = stage.RowWriter   // takes the rows that a source reads
	FileWriter  = stage.FileWriter  // takes the files that a source reads
	RowUnit     = stage.RowUnit     // what a sink takes a unit of rows with
	FileUnit    = stage.FileUnit    // what a sink takes a unit of files with
	Receipt     = stage.Receipt     // what a sink says of a unit that it has committed
	Findings    = stage.Findings    // what a sink's Check found
	Plan        = stage.Plan        // what a sink is going to get
	Outcome     = stage.Outcome     // what is known when all units are written
	TableProof  = stage.TableProof  // what was read back of a table
	Schema      = schema.Table      // what a table looks like
	Mapped      = stage.Mapped      // a table after a RecordTransform

	ActionRequest = stage.ActionRequest // what an action is told
	ActionReport  = stage.ActionReport  // what an action found
	ActionFinding = stage.ActionFinding // one thing of it
	RunOutcome    = stage.RunOutcome    // what became of a run, for an action after it
	Loss          = stage.Loss          // what is not carried
	Note          = stage.Note          // what is left out or differs on purpose
)

// NewSecret makes a secret, for tests: those of settings come from Vault.
func NewSecret(value string) Secret { return config.NewSecret(value) }

// Errors that Vault acts on; return them wrapped.
var (
	ErrNotExist = stage.ErrNotExist
	ErrExist    = stage.ErrExist
	ErrCorrupt  = stage.ErrCorrupt
	ErrKey      = stage.ErrKey
)

// Temporary marks an error that may not come again: Vault tries the same again,
// not before after has passed if that is not 0.
func Temporary(err error, after time.Duration) error { return stage.Temporary(err, after) }

// At makes an error about one setting, for the Validate method of a
// configuration: Vault shows it with file, line and column. Of a setting inside of a
// list or map, key is its path: rules[2].table, hosts[NAME].dir. format and args are
// as in fmt.Errorf.
func At(key, format string, args ...any) error { return config.At(key, format, args...) }

// StorageStage declares a storage; C is its configuration.
func StorageStage[C any](name, summary, doc string, open func(ctx context.Context, cfg *C, env Env) (Storage, error)) Stage {
	s := declare[C](stage.RoleStorage, name, summary, doc)
	s.NewStorage = stage.Typed(open)
	return s
}

// SourceStage declares a source of parts (stage.DB …).
func SourceStage[C any](name, summary, doc string, parts []string, open func(ctx context.Context, cfg *C, env Env) (Source, error)) Stage {
	s := declare[C](stage.RoleSource, name, summary, doc)
	s.Parts, s.NewSource = parts, stage.Typed(open)
	return s
}

// SinkStage declares a sink of parts.
func SinkStage[C any](name, summary, doc string, parts []string, open func(ctx context.Context, cfg *C, env Env) (Sink, error)) Stage {
	s := declare[C](stage.RoleSink, name, summary, doc)
	s.Parts, s.NewSink = parts, stage.Typed(open)
	return s
}

// RecordStage declares a transform of rows.
func RecordStage[C any](name, summary, doc string, open func(ctx context.Context, cfg *C, env Env) (RecordTransform, error)) Stage {
	s := declare[C](stage.RoleTransform, name, summary, doc)
	s.NewRecord = stage.Typed(open)
	return s
}

// ActionStage declares an action.
func ActionStage[C any](name, summary, doc string, open func(ctx context.Context, cfg *C, env Env) (Action, error)) Stage {
	s := declare[C](stage.RoleAction, name, summary, doc)
	s.NewAction = stage.Typed(open)
	return s
}

// ByteStage declares a transform of bytes.
func ByteStage[C any](name, summary, doc string, open func(ctx context.Context, cfg *C, env Env) (ByteTransform, error)) Stage {
	s := declare[C](stage.RoleTransform, name, summary, doc)
	s.NewBytes = stage.Typed(open)
	return s
}

func declare[C any](role stage.Role, name, summary, doc string) Stage {
	return Stage{Info: Info{Name: name, Role: role, Summary: summary, Doc: doc, Config: func() any { return new(C) }}}
}
