package purgecaches

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/caches"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// IDs of findings.
const (
	directoryID = "cache-directory"
	storeID     = "cache-store"
)

type action struct {
	stage.UnimplementedAction
	config *Config
}

// Run empties the directories and lists the stores that it can't empty.
func (a *action) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	s, err := a.config.Read(ctx)
	if err != nil {
		return stage.ActionReport{}, err
	}
	root, err := s.DataRoot()
	if err != nil {
		return stage.ActionReport{}, err
	}
	dirs, err := directories(s, root)
	if err != nil {
		return stage.ActionReport{}, err
	}
	report := stage.ActionReport{}
	add := func(f stage.ActionFinding) { report.Findings = append(report.Findings, f) }
	config, err := s.Directory("altcacheconfigpath", "")
	if err != nil {
		return stage.ActionReport{}, err
	}
	file := filepath.Join(config, "config.php")
	if config == root {
		file = filepath.Join(root, caches.ConfigFile)
	}
	stores, err := caches.Stores(ctx, file)
	if err != nil {
		if ctx.Err() != nil {
			return report, ctx.Err()
		}
		add(stage.ActionFinding{
			ID: storeID, Level: stage.LevelWarning, What: fmt.Sprintf("which cache stores the site has is unknown: %v", err), Where: file,
			Remedy: "if it has stores besides files, empty them: php admin/cli/purge_caches.php",
		})
	}
	for _, store := range stores {
		switch {
		case store.Plugin == "file" && store.Path != "" && below(root, store.Path):
			dirs = append(dirs, store.Path)
		case store.Plugin == "file" && store.Path == "", store.Plugin == "session", store.Plugin == "static":
		default:
			add(elsewhere(store))
		}
	}
	for _, dir := range dirs {
		f, err := empty(ctx, dir, r.DryRun)
		if err != nil {
			return report, err
		}
		add(f)
	}
	return report, nil
}

// directories lists the directories that hold the site's caches and sessions. Moodle also
// empties the first two completely. Sessions outside of the data root may be those of other
// programs, too, and are worthless without their rows in the table sessions.
func directories(s *site.Site, root string) ([]string, error) {
	var dirs []string
	for _, d := range [][2]string{{"cachedir", "cache"}, {"localcachedir", "localcache"}, {"session_file_save_path", "sessions"}} {
		dir, err := s.Directory(d[0], d[1])
		if err != nil {
			return nil, err
		}
		if holds(dir, root) || holds(dir, s.Dir) {
			return nil, fmt.Errorf("%s is %s, which holds more than a cache; correct config.php", d[0], dir)
		}
		if d[1] != "sessions" || below(root, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// holds reports whether a directory is another one, or above it.
func holds(dir, other string) bool {
	rel, err := filepath.Rel(dir, other)
	return err == nil && filepath.IsLocal(rel)
}

// contents lists the directories of a data root that no cache belongs in.
var contents = []string{".", "filedir", "lang", "repository", "models", "geoip", "secret", "trashdir"}

// below reports whether a path is in the data root, apart from contents.
func below(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	first, _, _ := strings.Cut(rel, string(filepath.Separator))
	return err == nil && filepath.IsLocal(rel) && !slices.Contains(contents, first)
}

// empty empties a directory. Its error is that of ctx.
func empty(ctx context.Context, dir string, dry bool) (stage.ActionFinding, error) {
	n, err := caches.Empty(ctx, dir, dry)
	f := stage.ActionFinding{ID: directoryID, Level: stage.LevelOK, Where: dir}
	verb := "removed"
	if dry {
		verb = "would remove"
	}
	f.What = fmt.Sprintf("%s %d files with %d bytes", verb, n.Files, n.Bytes)
	if ctx.Err() != nil {
		return f, ctx.Err()
	}
	if err != nil {
		f.Level, f.What = stage.LevelWarning, f.What+", but not all"
		f.Details = err.Error()
		f.Remedy = "empty it by hand, as root or as the user of the web server"
	}
	return f, nil
}

// elsewhere returns the warning about a store that can't be emptied.
func elsewhere(s caches.Store) stage.ActionFinding {
	what := fmt.Sprintf("the cache store %q (%s) is not emptied", s.Name, s.Plugin)
	where := strings.TrimSpace(s.Server + s.Path)
	if s.Prefix != "" {
		where = strings.TrimSpace(where + " prefix " + s.Prefix)
	}
	remedy := "before the site is opened: php admin/cli/purge_caches.php"
	switch {
	case s.Plugin == "apcu":
		remedy = "restart the web server or PHP-FPM; the store is in its memory"
	case s.Plugin == "file":
		remedy = "empty the directory, if it holds nothing else"
	case s.Plugin == "redis" && s.Prefix != "":
		remedy += ", or delete the keys with this prefix from Redis"
	case s.Plugin == "memcached":
		remedy += ", or restart Memcached"
	}
	return stage.ActionFinding{ID: storeID, Level: stage.LevelWarning, What: what, Where: where, Remedy: remedy}
}
