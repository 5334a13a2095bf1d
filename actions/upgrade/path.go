package upgrade

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/dialects/site"
)

// data is what the versions of the site's data are.
type data struct {
	installed map[string]component.Version
	release   string // of Moodle
}

// core returns the version of Moodle.
func (d data) core() component.Version { return d.installed[component.Core] }

// step is the upgrade by one code.
type step struct {
	dir    string // directory with config.php
	script string // upgrade.php
	code   *component.Code
	own    bool // the site's own code, with its own config.php
}

// path returns the steps of an upgrade, in order, or an error of class failure.Refused if
// one of them is not possible.
func (a *action) path(ctx context.Context, s *site.Site, own *component.Code, from data) ([]step, error) {
	var steps []step
	for _, dir := range a.config.Via {
		code, err := component.Load(ctx, dir, component.Options{})
		if err != nil {
			return nil, err
		}
		if code.Version.Compare(from.core()) <= 0 {
			continue
		}
		if code.Version.Compare(own.Version) >= 0 {
			return nil, failure.New(failure.Refused, "%s holds Moodle %s, which is not older than the site's code, %s; remove it from via", dir, code.Release, own.Release)
		}
		config := filepath.Join(dir, siteconfig.FileName)
		if _, err := os.Lstat(config); err == nil {
			return nil, failure.New(failure.Refused, "%s exists, and is never replaced; use a directory with code that no site uses (if its first line says that vault wrote it, an upgrade was interrupted: remove it)", config)
		}
		script, err := script(dir, "admin")
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{dir: dir, script: script, code: code})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.code.Version.Compare(b.code.Version) })
	admin := site.CodeOptions(s.Site).Admin
	if admin == "" {
		admin = "admin"
	}
	last, err := script(s.Dir, admin)
	if err != nil {
		return nil, err
	}
	steps = append(steps, step{dir: s.Dir, script: last, code: own, own: true})
	release := from.release
	for _, next := range steps {
		ok, oldest, err := next.code.CanUpgrade(release)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", next.dir, err)
		}
		if !ok {
			return nil, failure.New(failure.Refused, "Moodle %s in %s can't upgrade data of Moodle %s, only of %s or later; list directories with the code of releases in between as via", next.code.Release, next.dir, release, oldest)
		}
		release = next.code.Release
	}
	return steps, nil
}

// script returns the path of upgrade.php.
func script(dir, admin string) (string, error) {
	for _, web := range []string{dir, filepath.Join(dir, "public")} {
		path := filepath.Join(web, admin, "cli", "upgrade.php")
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", failure.New(failure.Refused, "%s has no %s/cli/upgrade.php; is the code complete?", dir, admin)
}
