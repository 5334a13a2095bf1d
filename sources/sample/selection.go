package sample

import (
	"context"

	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// excludedFiles lists the files that a selection excludes.
func (s *site) excludedFiles(selected *selection.Selection) []selection.Excluded {
	var out []selection.Excluded
	add := func(path string) {
		if pattern, ok := selected.ExcludesPath(path); ok {
			out = append(out, selection.Excluded{Path: path, Pattern: pattern})
		}
	}
	if len(selected.ExcludeFiles) == 0 {
		return nil
	}
	for _, c := range s.contents {
		add(c.path())
	}
	for _, i := range s.dataroot {
		add(i.Path)
	}
	return out
}

// selectedFiles passes on the entries that a selection does not exclude.
type selectedFiles struct {
	stage.FileWriter
	selected *selection.Selection
	skip     bool // the open entry
}

func (w *selectedFiles) Open(ctx context.Context, e stage.Entry) error {
	if _, w.skip = w.selected.ExcludesPath(e.Path); w.skip {
		return nil
	}
	return w.FileWriter.Open(ctx, e)
}

func (w *selectedFiles) Write(ctx context.Context, data []byte) error {
	if w.skip {
		return nil
	}
	return w.FileWriter.Write(ctx, data)
}

func (w *selectedFiles) Close(ctx context.Context, d stage.Digest) error {
	if w.skip {
		return nil
	}
	return w.FileWriter.Close(ctx, d)
}

func (w *selectedFiles) Same(ctx context.Context, e stage.Entry) error {
	if _, out := w.selected.ExcludesPath(e.Path); out {
		return nil
	}
	return w.FileWriter.Same(ctx, e)
}
