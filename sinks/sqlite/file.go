package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	dialect "github.com/lmsvault/vault/dialects/sqlite"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
)

// file checks that the file may be written, and counts the tables of the site in it
// that is replaced.
func (s *Sink) file(ctx context.Context, p *stage.Plan) (replaced int, err error) {
	if err := s.apart(p); err != nil {
		return 0, err
	}
	if len(p.Preserve) > 0 {
		return 0, failure.New(failure.Refused, "sqlite cannot preserve anything of %s, because the whole file is replaced; remove preserve", s.config.Path)
	}
	if err := writable(s.config.Path + ".vault-check"); err != nil {
		return 0, failure.New(failure.Refused, "cannot write to the directory %s: %w", filepath.Dir(s.config.Path), err)
	}
	info, err := os.Stat(s.config.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, failure.Wrap(failure.Refused, err)
	case !info.Mode().IsRegular():
		return 0, failure.New(failure.Refused, "%s is not a file; set path to another name", s.config.Path)
	}
	conn, err := dialect.Open(ctx, s.config.Path, dialect.ReadOnly)
	if err != nil {
		return 0, failure.New(failure.Refused, "%w; it was not changed; set path to another name", err)
	}
	var site moodle.Site
	found, err := conn.Inspect(ctx, s.config.Prefix)
	if err == nil {
		site, err = found.Site(ctx, conn)
	}
	if err := errors.Join(err, conn.Close()); err != nil {
		return 0, failure.Wrap(failure.Refused, err)
	}
	switch {
	case len(found.Others) > 0:
		return 0, failure.New(failure.Refused, "%s holds tables without the prefix %q (%s …), which would be lost; set path to another name",
			s.config.Path, s.config.Prefix, found.Others[0])
	case len(found.Tables) > 0 && p.Replace == stage.ReplaceNothing:
		return 0, failure.New(failure.Refused, "%s holds a site of %d tables; set replace: true to replace it", s.config.Path, len(found.Tables))
	}
	if err := s.config.Replacing.Check(site, p.Facts); err != nil {
		return 0, fmt.Errorf("%s: %w", s.config.Path, err)
	}
	return len(found.Tables), nil
}

// writable creates a file and removes it. The name is always the same, so that the
// next run removes what a killed one has left.
func writable(probe string) error {
	if err := removeAll(probe); err != nil {
		return err
	}
	f, err := os.OpenFile(probe, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) { // another run does the same
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), removeAll(probe))
}

// apart checks that no file to be written or removed is the one that is read. A
// snapshot may replace the file it was made from.
func (s *Sink) apart(p *stage.Plan) error {
	if len(p.Locations) == 0 {
		return nil
	}
	for _, path := range []string{s.config.Path, s.config.Path + partial} {
		switch location, err := dialect.Location(path); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return failure.Wrap(failure.Refused, err)
		case slices.Contains(p.Locations, location):
			return failure.New(failure.Refused, "%s is the file being read; set path to another name", path)
		}
	}
	return nil
}
