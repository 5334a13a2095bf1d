package stage

import (
	"context"

	"github.com/lmsvault/vault/core/selection"
)

// A composite is a stage that stands for others: a source for several sources, a sink
// for several sinks. Its Expand is set, and no constructor. It is expanded when a
// pipeline file is read; what runs are the stages that it names.

// ExpandFunc says what a composite stands for, by its decoded configuration. It may
// read files, and connects to nothing: a linter calls it, too. Called twice with the
// same configuration and files it says the same. An error says what is wrong with
// the settings or the files.
type ExpandFunc func(ctx context.Context, cfg any, env ExpandEnv) (*Expansion, error)

// ExpandEnv is what a composite gets.
type ExpandEnv struct {
	// Lookup returns environment variables.
	Lookup func(name string) (string, bool)
	// Dir is the folder in which relative paths begin. Those of settings are absolute.
	Dir string
}

// Expansion is what a composite stands for.
type Expansion struct {
	// Parts are stages of the composite's role, at least one. None is a storage or a composite.
	Parts []Part
	// Before and After are actions, in the order in which they run.
	Before, After []Part
	// Selection is left out beside what the pipeline leaves out.
	Selection selection.Selection
}

// Part is a stage that a composite stands for.
type Part struct {
	// Name tells it from the others of the expansion: database. Messages and results
	// call it COMPOSITE/NAME. Of a-z, 0-9 and -.
	Name string
	Use  string // the stage's name
	// Settings are those of the stage, as a pipeline's with would have them: texts,
	// numbers, booleans, lists, maps, and config.Secret. They are taken as they are:
	// nothing is a reference. Paths are absolute. A sink takes replace and preserve of
	// the composite where they are not given here.
	Settings map[string]any
	// When is when an action runs: start (or "") or planned of Before, success (or ""),
	// failure or always of After.
	When string
}
