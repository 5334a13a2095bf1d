package moodle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
)

// pluginTables returns the tables of the preserved plugins: those that their code defines
// and, if the target may be asked, those in its database that are theirs by name.
func (t *target) pluginTables(ctx context.Context) ([]string, error) {
	code, err := component.Load(ctx, t.config.Dir, site.CodeOptions(t.config))
	if err != nil {
		return nil, err
	}
	definitions, _, err := code.Definitions(ctx)
	if err != nil {
		return nil, err
	}
	var tables []string
	for _, d := range definitions {
		for _, table := range d.Tables {
			tables = append(tables, table.Name)
		}
	}
	installed := map[string]component.Version{}
	err = t.online(ctx, func(d *database.Database) error {
		there, err := d.Tables(ctx)
		if err != nil {
			return err
		}
		for i := range there {
			tables = append(tables, there[i].Name)
		}
		installed, _, err = site.Installed(ctx, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	var own []string
	for _, plugin := range t.plugins {
		own = append(own, code.Tables(plugin, definitions, installed, tables)...)
	}
	slices.Sort(own)
	return slices.Compact(own), nil
}

// maxContents is the maximum number of contents that plugins may keep.
const maxContents = 10_000

// pluginContents returns the paths in the file pool of contents that files of the preserved
// plugins have, if the target may be asked. Contents that are missing there are left out:
// the backup may have them.
func (t *target) pluginContents(ctx context.Context) (paths []string, err error) {
	err = t.online(ctx, func(d *database.Database) error {
		if table, err := d.Table(ctx, "files"); err != nil || table == nil {
			return err
		}
		for _, plugin := range t.plugins {
			statement := "SELECT DISTINCT contenthash FROM {files} WHERE component = ? AND referencefileid IS NULL AND filesize > 0"
			err := d.Each(ctx, statement, []any{plugin}, func(row []database.Text) error {
				hash := row[0].String
				if !moodle.ValidHash(hash) {
					return nil
				}
				path := moodle.ContentPath(hash)
				if _, err := os.Lstat(filepath.Join(t.filedir(), path)); err == nil {
					paths = append(paths, path)
				} else if !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				if len(paths) > maxContents {
					return failure.New(failure.Refused, "the plugins to preserve have more than %d files", maxContents)
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("the files of %s: %w", plugin, err)
			}
		}
		return nil
	})
	slices.Sort(paths)
	return slices.Compact(paths), err
}

// online calls do with the target's database, if the target may be asked and holds a site.
func (t *target) online(ctx context.Context, do func(*database.Database) error) (err error) {
	if !t.env.Online {
		return nil
	}
	d, err := t.database.Open(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a new SQLite database
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close(context.WithoutCancel(ctx))) }()
	table, err := d.Table(ctx, "config_plugins")
	if err != nil || table == nil {
		return err
	}
	return do(d)
}
