package dataroot

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

type source struct {
	cfg      *Config
	root     *os.Root
	real     string // path of the root without links
	limit    int    // see censusLimit
	flat     int    // see flatLimit
	selected selection.Selection
}

func open(cfg *Config) (*source, error) {
	root, err := filetree.OpenSource(cfg.Dir)
	if err != nil {
		return nil, err
	}
	real, err := filepath.Abs(cfg.Dir)
	if err == nil {
		real, err = filepath.EvalSymlinks(real)
	}
	if err != nil {
		return nil, errors.Join(failure.New(failure.Refused, "resolving the path of %s: %w", cfg.Dir, err), root.Close())
	}
	return &source{cfg: cfg, root: root, real: real, limit: censusLimit, flat: flatLimit}, nil
}

func (s *source) Close(context.Context) error { return s.root.Close() }

const excludedByUser = "excluded by the pipeline's selection"

// excluded reports whether a path below the data root is excluded, and why.
func (s *source) excluded(path string) (why string, out bool) {
	if _, out := s.selected.ExcludesPath(stage.Dataroot + "/" + path); out {
		return excludedByUser, true
	}
	if !strings.Contains(path, "/") {
		return moodle.Excluded(path, s.cfg.Include)
	}
	return "", false
}

func (s *source) ReadFiles(ctx context.Context, request stage.ReadRequest, w stage.FileWriter) error {
	sc, err := parseScope(request.Unit.Spec)
	if err != nil {
		return err
	}
	r := &reading{source: s, scope: sc, out: w}
	r.files = filetree.Reader{
		Hash:   sha256.New,
		Digest: func(n int64, sum string) stage.Digest { return stage.Digest{Bytes: n, SHA256: sum} },
		Known:  request.Baseline,
		Out:    w,
	}
	r.walk = filetree.Walk{Out: w, Visit: r.visit,
		Follow:  func(path string, info fs.FileInfo) fs.FileInfo { return r.followed(below(path), info) },
		OpenDir: func(dir *os.Root, name, path string) (*os.Root, error) { return r.openDir(dir, name, below(path)) },
	}
	entry := stage.Dataroot
	if sc.path != "" {
		entry += "/" + sc.path
	}
	if sc.what == whole {
		parent, name := "", sc.path
		if i := strings.LastIndexByte(sc.path, '/'); i >= 0 {
			parent, name = sc.path[:i], sc.path[i+1:]
		}
		return r.in(ctx, parent, entry, func(dir *os.Root) error { return r.walk.One(ctx, dir, name, entry) })
	}
	return r.in(ctx, sc.path, entry, func(dir *os.Root) error {
		if sc.what == flat && sc.path != "" && sc.after == "" {
			info, err := dir.Stat(".")
			if err != nil {
				return r.walk.Lost(ctx, entry, err)
			}
			if err := r.dir(ctx, entry, info); err != nil {
				return err
			}
		}
		if sc.what == flat {
			return r.names(ctx, dir, entry)
		}
		return r.walk.Children(ctx, dir, entry)
	})
}

// below returns an entry's path relative to the data root.
func below(entry string) string { return strings.TrimPrefix(entry, stage.Dataroot+"/") }

// names reads a flat unit's share of its directory.
func (r *reading) names(ctx context.Context, dir *os.Root, entry string) error {
	for name, err := range filetree.NamesAfter(dir, r.scope.after) {
		if err != nil {
			return r.walk.Lost(ctx, entry, err)
		}
		if r.scope.last != "" && name > r.scope.last {
			return nil
		}
		if err := r.walk.One(ctx, dir, name, entry+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

// reading is the state of reading one unit.
type reading struct {
	*source
	scope scope
	out   stage.FileWriter
	files filetree.Reader
	walk  filetree.Walk
}

// in calls fn with the directory at a path below the data root.
func (r *reading) in(ctx context.Context, path, entry string, fn func(*os.Root) error) error {
	dir, err := r.openPath(path)
	if err != nil {
		return r.walk.Lost(ctx, entry, err)
	}
	err = fn(dir)
	if closing := dir.Close(); err == nil { // errors of the writer are returned unchanged
		err = closing
	}
	return err
}

func (r *reading) visit(ctx context.Context, f filetree.Found) error {
	path := below(f.Path)
	if _, out := r.excluded(path); out {
		return fs.SkipDir
	}
	if !r.covers(f, path) {
		return fs.SkipDir
	}
	mode := f.Info.Mode()
	switch {
	case mode.IsDir():
		return r.dir(ctx, f.Path, f.Info)
	case mode.IsRegular():
		return r.files.File(ctx, f)
	case mode&fs.ModeSymlink != 0:
		return r.link(ctx, f)
	}
	return r.walk.Special(ctx, f)
}

// covers reports whether the unit includes an entry; it includes everything below its
// first level.
func (r *reading) covers(f filetree.Found, path string) bool {
	parent := path[:max(strings.LastIndexByte(path, '/'), 0)]
	if r.scope.what == whole || parent != r.scope.path {
		return true
	}
	if r.scope.what == flat {
		return !f.Info.IsDir()
	}
	return f.Info.IsDir() && bucketOf(f.Name) == r.scope.bucket
}

func (r *reading) dir(ctx context.Context, path string, info fs.FileInfo) error {
	e := stage.Entry{Path: path, Kind: stage.Dir, Mode: filetree.Mode(info.Mode()), ModTime: info.ModTime(), Owner: filetree.Owner(info)}
	return r.entry(ctx, e)
}

func (r *reading) entry(ctx context.Context, e stage.Entry) error {
	if err := r.out.Open(ctx, e); err != nil {
		return err
	}
	return r.out.Close(ctx, stage.Digest{})
}
