package sdk

import (
	"context"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// The contracts that authors need most, from packages core/stage and core/config.
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
	Exposer         = stage.Exposer
	Decider         = stage.Decider
	Recoverer       = stage.Recoverer
	ByteTransform   = stage.ByteTransform
	RecordTransform = stage.RecordTransform
	Preparer        = stage.Preparer
	Adder           = stage.Adder
	Action          = stage.Action
	Secret          = config.Secret
	Size            = config.Size
	Duration        = config.Duration
	Literal         = config.Literal
)

// Embed the type for the role of your stage. It then still compiles when the contract gets
// a new method, and need not implement methods that are never called on it.
type (
	UnimplementedStorage         = stage.UnimplementedStorage
	UnimplementedSource          = stage.UnimplementedSource
	UnimplementedSink            = stage.UnimplementedSink
	UnimplementedByteTransform   = stage.UnimplementedByteTransform
	UnimplementedRecordTransform = stage.UnimplementedRecordTransform
	UnimplementedAction          = stage.UnimplementedAction
)

// Types that Vault and stages exchange.
type (
	PlanRequest = stage.PlanRequest // the argument of Source.Plan
	ReadRequest = stage.ReadRequest // the argument of ReadRows and ReadFiles
	Inventory   = stage.Inventory   // what a source will read
	Session     = stage.Session     // lets another process join a snapshot
	TableInfo   = stage.TableInfo   // a table of an Inventory or a Plan
	Unit        = stage.Unit        // a piece of work that is read independently
	Entry       = stage.Entry       // a file, a directory …
	Owner       = stage.Owner       // the user and group of an entry
	Chunk       = stage.Chunk       // rows of a table
	Digest      = stage.Digest      // size and checksum of an entry
	Baseline    = stage.Baseline    // fingerprints of files that the receiver has
	RowWriter   = stage.RowWriter   // receives the rows that a source reads
	FileWriter  = stage.FileWriter  // receives the files that a source reads
	RowUnit     = stage.RowUnit     // an open unit of rows in a sink
	FileUnit    = stage.FileUnit    // an open unit of files in a sink
	Receipt     = stage.Receipt     // the result of committing a unit
	Findings    = stage.Findings    // the result of Sink.Check
	Plan        = stage.Plan        // what a sink will receive
	Outcome     = stage.Outcome     // what is known after all units were written
	TableProof  = stage.TableProof  // what was read back of a table
	Schema      = schema.Table      // columns, keys and indexes of a table
	Mapped      = stage.Mapped      // a table after a RecordTransform

	ActionRequest = stage.ActionRequest // the argument of Action.Run
	ActionReport  = stage.ActionReport  // the result of an action
	ActionFinding = stage.ActionFinding // one finding of an ActionReport
	RunOutcome    = stage.RunOutcome    // how a run ended, for an action after it
	Loss          = stage.Loss          // items that could not be transferred
	Note          = stage.Note          // something left out or different on purpose
)

// NewSecret makes a secret, for tests. The secrets in settings come from Vault.
func NewSecret(value string) Secret { return config.NewSecret(value) }

// Errors that Vault acts on; return them wrapped.
var (
	ErrNotExist = stage.ErrNotExist
	ErrExist    = stage.ErrExist
	ErrCorrupt  = stage.ErrCorrupt
	ErrKey      = stage.ErrKey
)

// Temporary marks an error that may not recur: Vault repeats the call, but not before after
// has passed; 0 means at once.
func Temporary(err error, after time.Duration) error { return stage.Temporary(err, after) }

// At returns an error about one setting, for the Validate method of a configuration. Vault
// shows it with file, line and column. key may be a path into a list or map:
// rules[2].table, hosts[NAME].dir. format and args are as in fmt.Errorf.
func At(key, format string, args ...any) error { return config.At(key, format, args...) }

// StorageStage declares a storage; C is its configuration.
func StorageStage[C any](name, summary, doc string, open func(ctx context.Context, cfg *C, env Env) (Storage, error)) Stage {
	s := declare[C](stage.RoleStorage, name, summary, doc)
	s.NewStorage = stage.Typed(open)
	return s
}

// SourceStage declares a source of the given parts (stage.DB …).
func SourceStage[C any](name, summary, doc string, parts []string, open func(ctx context.Context, cfg *C, env Env) (Source, error)) Stage {
	s := declare[C](stage.RoleSource, name, summary, doc)
	s.Parts, s.NewSource = parts, stage.Typed(open)
	return s
}

// SinkStage declares a sink of the given parts.
func SinkStage[C any](name, summary, doc string, parts []string, open func(ctx context.Context, cfg *C, env Env) (Sink, error)) Stage {
	s := declare[C](stage.RoleSink, name, summary, doc)
	s.Parts, s.NewSink = parts, stage.Typed(open)
	return s
}

// RecordStage declares a record transform, which changes rows.
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

// ByteStage declares a byte transform.
func ByteStage[C any](name, summary, doc string, open func(ctx context.Context, cfg *C, env Env) (ByteTransform, error)) Stage {
	s := declare[C](stage.RoleTransform, name, summary, doc)
	s.NewBytes = stage.Typed(open)
	return s
}

func declare[C any](role stage.Role, name, summary, doc string) Stage {
	return Stage{Info: Info{Name: name, Role: role, Summary: summary, Doc: doc, Config: func() any { return new(C) }}}
}
