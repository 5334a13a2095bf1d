// Package pipelines embeds the example pipeline files, so that vault demo needs
// no other file.
package pipelines

import "embed"

// Files holds the pipeline files by name.
//
//go:embed *.yaml
var Files embed.FS
