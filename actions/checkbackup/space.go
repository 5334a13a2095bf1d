package checkbackup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/diskspace"
)

// diskSpace reads the free space wherever the run writes.
func diskSpace(_ context.Context, s *site) ([]stage.ActionFinding, error) {
	var need int64
	if s.plan != nil {
		need = s.plan.Bytes
	}
	var places []check.Place
	add := func(use check.PlaceUse, need int64, dirs ...string) {
		for _, dir := range dirs {
			p := check.Place{Dir: dir, Use: use, Need: need}
			p.Err = measure(&p)
			places = append(places, p)
		}
	}
	add(check.Repository, need, s.Repositories...)
	add(check.Target, need, s.Targets...)
	temp := os.TempDir()
	if s.temp != "" {
		temp = filepath.Dir(s.temp) // a name that is the same in every run
	}
	add(check.Temporary, 0, temp)
	return check.FreeSpace(places), nil
}

// measure reads the free space of a directory, or of the nearest directory above it that
// exists.
func measure(p *check.Place) error {
	for dir := p.Dir; ; dir = filepath.Dir(dir) {
		free, err := diskspace.Free(dir)
		if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
			continue
		}
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Stat(dir, &st); err != nil {
			return fmt.Errorf("stat %s: %w", dir, err)
		}
		p.Bytes, p.Inodes, p.FileSystem = free.Bytes, free.Inodes, strconv.FormatUint(uint64(st.Dev), 10)
		return nil
	}
}

// size measures the database, the files and the data root.
func size(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	db, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	var of check.Size
	tables, err := db.Tables(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if !s.excludesTable(t.Name) {
			of.Tables = append(of.Tables, check.TableSize{Name: t.Name, Rows: t.Rows, Bytes: t.Bytes})
		}
	}
	if s.plan != nil && len(s.plan.Tables) > 0 { // its estimates are those of the source
		of.Tables = nil
		for _, t := range s.plan.Tables {
			of.Tables = append(of.Tables, check.TableSize{Name: t.Schema.Name, Rows: t.Rows, Bytes: t.Bytes})
		}
	}
	if of.Files, err = s.fileSize(ctx); err != nil {
		return nil, err
	}
	if s.DataRoot != "" {
		if t := s.tree(ctx, stage.Dataroot, s.DataRoot); t.Err == nil {
			of.DataRoot = &t.Size
		}
	}
	return of.Findings(), ctx.Err()
}

// fileSize sums up the contents that the table files names; nil if there is no such table.
func (s *site) fileSize(ctx context.Context) (*check.FileSize, error) {
	ok, err := s.has(ctx, "files", "contenthash", "filesize", "filename")
	if err != nil || !ok {
		return nil, err
	}
	rows, err := s.db.Query(ctx, `SELECT COUNT(*), SUM(size), MAX(size) FROM
		(SELECT contenthash, MAX(filesize) AS size FROM {files} WHERE filename <> '.' GROUP BY contenthash) contents`)
	if err != nil {
		return nil, err
	}
	var sum check.FileSize
	for i, to := range []*int64{&sum.Count, &sum.Bytes, &sum.Largest} {
		if rows[0][i].Valid {
			if *to, err = strconv.ParseInt(rows[0][i].String, 10, 64); err != nil {
				return nil, fmt.Errorf("reading the size of files: %w", err)
			}
		}
	}
	return &sum, nil
}
