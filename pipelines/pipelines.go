// Package pipelines holds pipeline files that run as they are. They are part of
// the program, so that vault demo needs nothing else.
package pipelines

import "embed"

// Files are the pipeline files, by name.
//
//go:embed *.yaml
var Files embed.FS
