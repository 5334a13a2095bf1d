package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/internal/diskspace"
)

var space = check.Check{
	ID: "restore-disk-space", Title: "Disk space", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelWarning, stage.LevelFail},
	Doc: `The new site is written next to the old one, so each file system needs free space for all of it; with
` + "`replace: in_place`" + ` the old site makes room, and too little free space is only a warning. Tables are assumed to need
twice the size of their rows. The free space of a database server can be known only if its
data directory is on this machine and readable; otherwise a note says how much it needs.`,
	Remedy: "free space, or set `replace: in_place`.",
}

// growth is how much larger a database is than the rows of its tables: indexes, headers.
const growth = 2

// room is a file system and what has to fit into it.
type room struct {
	dir          string // a directory on it
	holds        []string
	bytes, files int64
}

func checkSpace(ctx context.Context, s *subject) ([]stage.ActionFinding, error) {
	var rows int64
	for _, t := range s.plan.Tables {
		rows += t.Bytes
	}
	var rooms []*room
	var faults []error
	put := func(dir, what string, bytes, files int64) {
		var err error
		if rooms, err = place(rooms, dir, what, bytes, files); err != nil {
			faults = append(faults, err)
		}
	}
	if len(s.Dirs) > 0 {
		// How much of it is the file pool is not known, and it is most of it.
		put(s.Dirs[0], "the files", s.plan.Bytes-rows, s.plan.Files)
		for _, dir := range s.Dirs[1:] {
			put(dir, "", 0, 0)
		}
	}
	var found []stage.ActionFinding
	dir, err := s.dataDirectory(ctx)
	if err != nil {
		return nil, err
	}
	if dir != "" {
		put(dir, "the database", growth*rows, 0)
	} else {
		f := space.Finding(stage.LevelNote, "the free space of the database server is not known; the tables need about %s", size(growth*rows))
		f.Where = s.there.Address()
		found = append(found, f)
	}
	for _, r := range rooms {
		f, err := r.check(s.Replace == string(stage.ReplaceInPlace))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		found = append(found, f)
	}
	return found, errors.Join(faults...)
}

// place adds something to the file system of a directory, which need not exist yet.
func place(rooms []*room, dir, what string, bytes, files int64) ([]*room, error) {
	for {
		_, err := os.Stat(dir)
		if err == nil {
			break
		}
		if up := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && up != dir {
			dir = up
			continue
		}
		return rooms, err
	}
	add := func(r *room) {
		if r.bytes, r.files = r.bytes+bytes, r.files+files; what != "" {
			r.holds = append(r.holds, what)
		}
	}
	for _, r := range rooms {
		if sameDevice(r.dir, dir) {
			add(r)
			return rooms, nil
		}
	}
	r := &room{dir: dir}
	add(r)
	return append(rooms, r), nil
}

func sameDevice(a, b string) bool {
	var one, other unix.Stat_t
	return unix.Stat(a, &one) == nil && unix.Stat(b, &other) == nil && one.Dev == other.Dev
}

// check compares the free space with what is needed.
func (r *room) check(inPlace bool) (stage.ActionFinding, error) {
	free, err := diskspace.Free(r.dir)
	if err != nil {
		return stage.ActionFinding{}, err
	}
	has, needs := size(free.Bytes), size(r.bytes)
	enough := r.bytes <= free.Bytes
	if enough && free.Inodes >= 0 && r.files > free.Inodes {
		enough, has, needs = false, fmt.Sprintf("%d files", free.Inodes), fmt.Sprintf("%d files", r.files)
	}
	what := strings.Join(r.holds, " and ")
	if what == "" {
		what = "the files"
	}
	if enough {
		f := space.Finding(stage.LevelOK, "there is enough space for %s: about %s needed, %s free", what, needs, has)
		f.Where = r.dir
		return f, nil
	}
	f := space.Finding(stage.LevelFail, "there is too little space for %s: about %s needed, %s free", what, needs, has)
	f.Where, f.Remedy = r.dir, "free space; if the new site does not fit next to the old one, set replace: in_place"
	if inPlace {
		f.Level, f.Remedy = stage.LevelWarning, "check that the old site, which is removed first, makes enough room"
	}
	return f, nil
}

// dataDirectory returns the directory that holds the database, or "" if it is unknown.
func (s *subject) dataDirectory(ctx context.Context) (string, error) {
	address, err := s.config.Address()
	if err != nil || address.Path != "" {
		return filepath.Dir(address.Path), err
	}
	if !local(address) {
		return "", nil
	}
	query := "SELECT @@datadir"
	if s.there.Dialect() == "postgres" {
		query = "SELECT setting FROM pg_settings WHERE name = 'data_directory'" // no row for most users
	}
	found, err := s.there.First(ctx, query)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(found.String); found.String == "" || err != nil || !info.IsDir() {
		return "", nil
	}
	return found.String, nil
}

// local reports whether a server is reached over a socket, so that its directories are
// those of this machine.
func local(a database.Address) bool {
	dsn := a.DSN.Reveal()
	return strings.Contains(dsn, "@unix(/") || strings.Contains(dsn, "host=/") || strings.Contains(dsn, "host=%2F")
}
