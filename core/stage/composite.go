package stage

import (
	"context"

	"github.com/lmsvault/vault/core/selection"
)

// ExpandFunc expands a composite: a source that stands for several sources, or a sink that
// stands for several sinks. A composite has Expand instead of a constructor. It is
// expanded when a pipeline file is read; the stages it returns are what runs.
//
// cfg is the decoded configuration. The function may read files. It must not connect to
// anything unless ExpandEnv.Online is set, and changes nothing. An error says what is wrong
// with the settings or the files; one made with config.At is reported at that setting.
type ExpandFunc func(ctx context.Context, cfg any, env ExpandEnv) (*Expansion, error)

// ExpandEnv is the environment of an ExpandFunc.
type ExpandEnv struct {
	// Lookup returns an environment variable.
	Lookup func(name string) (string, bool)
	// Dir is the base directory of relative paths. Paths in settings are absolute already.
	Dir string
	// Online reports that the pipeline is about to be checked, planned or run: the function
	// may connect to the site, for example to read defaults from its settings. An error to
	// connect is returned.
	Online bool
	// AllowRestore reports that the command line allows to restore over a site
	// (--allow-restore).
	AllowRestore bool
}

// Expansion is the result of an ExpandFunc.
type Expansion struct {
	// Parts are one or more stages of the composite's role, no storages and no composites.
	Parts []Part
	// Transforms are transforms of rows, in order. Those of a source precede the transforms
	// of the pipeline; those of a sink follow them and concern only its Parts.
	Transforms []Part
	// Before and After are actions, in order.
	Before, After []Part
	// Selection is added to the selection of the pipeline.
	Selection selection.Selection
	// Standing is added to it, too, for what is never part of such a site, such as caches.
	// It does not make a snapshot partial, and nobody is told if some of it matches nothing.
	Standing selection.Selection
	// Notes say what a person should know about the expansion, such as which defaults come
	// from the site.
	Notes []Note
}

// Part is a stage of an Expansion.
type Part struct {
	// Name is unique in the expansion, such as database: a-z, 0-9 and -. Messages and
	// results call the stage COMPOSITE/NAME.
	Name string
	Use  string // name of the stage
	// Settings are the settings of the stage, as below with in a pipeline: texts, numbers,
	// booleans, lists, maps and config.Secret. References are not resolved, and paths must
	// be absolute. A sink inherits replace and preserve from the composite unless they are
	// set here.
	Settings map[string]any
	// When an action runs: "" or start or planned in Before; "" or success, failure or
	// always in After.
	When string
}
