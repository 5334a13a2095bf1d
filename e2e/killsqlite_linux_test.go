package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// A restore that replaces a SQLite database is killed at 50 points, from its first
// access to the directory to its last. Each time the file holds exactly the old site,
// including rows that only the write-ahead log had, or exactly the new one. The next
// run succeeds and removes everything else.
func TestKilledSQLiteSwapLeavesOldOrNewSite(t *testing.T) {
	const rounds = 50
	dir := t.TempDir()
	path := filepath.Join(dir, "site.sqlite")
	var sources, crashed [2]string // databases, and directories of databases whose program died
	var old, fresh [2]string       // contents of those, and of a restore of each source
	restore := func(site int) string {
		return pipelineFile(t, fmt.Sprintf("version: 1\nsource: [{use: sqlite, with: {path: %s}}]\nsink: [{use: sqlite, with: {path: %s, replace: true, replace_other_site: true}}]\n", sources[site], path))
	}
	for site := range sources {
		sources[site], crashed[site] = smallSite(t, site)
		must(t, nil, "run", restore(site))
		fresh[site] = sqliteHolds(t, dir)
		old[site] = sqliteHolds(t, crashed[site])
	}
	if fresh[0] == fresh[1] || old[0] == fresh[0] || !strings.Contains(old[0], "in the log only") {
		t.Fatal("the sites don't differ")
	}
	install := func(site int) {
		for _, end := range []string{"", "-wal", "-shm"} {
			data, err := os.ReadFile(filepath.Join(crashed[site], "site.sqlite"+end))
			if err == nil {
				err = os.WriteFile(path+end, data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	install(1)
	watch := watching(t, dir, nil, 0, "")
	must(t, nil, "run", restore(0))
	events := watch.end(t)
	rng := rand.New(rand.NewPCG(50, 3))
	killed, done := 0, 0
	for round := range rounds {
		is := round % 2
		install(is)
		moment, event := 1+(round*events+rng.IntN(events))/rounds, ""
		switch round % 10 { // the exchange is short, so some rounds hit it on purpose
		case 6, 7:
			moment, event = 1, "deleted site.sqlite-wal"
		case 8, 9:
			moment, event = 1, "renamed site.sqlite"
		}
		run, kill := killable(t, command(t, nil, "run", restore(1-is)))
		watch := watching(t, dir, kill, moment, event)
		err := run()
		watch.end(t)
		if err != nil && !watch.shot {
			t.Fatalf("round %d: a run after a killed one fails: %v", round, err)
		}
		if err != nil {
			killed++
		}
		switch sqliteHolds(t, dir) {
		case old[is]:
		case fresh[1-is]:
			if err != nil {
				done++
			}
		default:
			t.Fatalf("round %d, killed at event %d %s: the file holds neither site", round, moment, event)
		}
		if round%5 == 4 {
			must(t, nil, "run", restore(1-is))
			left, err := filepath.Glob(filepath.Join(dir, "*"))
			if now := sqliteHolds(t, dir); now != fresh[1-is] || err != nil || len(left) != 1 {
				t.Fatalf("round %d: the next run leaves %q, %v; the file holds the new site: %t", round, left, err, now == fresh[1-is])
			}
		}
	}
	t.Logf("%d runs were killed, %d of them after the exchange; a run has %d events", killed, done, events)
	if killed < rounds*3/5 || done == 0 || done == killed {
		t.Errorf("%d of %d runs were killed while they worked, %d after the exchange", killed, rounds, done)
	}
}

// smallSite creates a database to read, and the files of one whose program died: some
// of its rows are only in the write-ahead log.
func smallSite(t *testing.T, n int) (source, crashed string) {
	t.Helper()
	dir, crashed := t.TempDir(), t.TempDir()
	source = filepath.Join(dir, "source.sqlite")
	statements := []string{
		`CREATE TABLE mdl_config (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name VARCHAR(255) NOT NULL DEFAULT '', value TEXT)`, `CREATE UNIQUE INDEX mdl_conf_nam_uix ON mdl_config (name)`,
		fmt.Sprintf(`INSERT INTO mdl_config (name, value) WITH RECURSIVE k (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < %d) SELECT 'name ' || n, 'site %d' FROM k`, 2000+n, n),
		fmt.Sprintf(`CREATE TABLE mdl_only_%d (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL)`, n),
	}
	execute(t, sqliteAt(t, source).SQL, statements...)
	live := filepath.Join(dir, "live", "site.sqlite")
	if err := os.Mkdir(filepath.Dir(live), 0o700); err != nil {
		t.Fatal(err)
	}
	db := sqliteAt(t, live).SQL
	db.SetMaxOpenConns(1)
	execute(t, db, append(statements, `PRAGMA journal_mode = WAL`, `PRAGMA wal_autocheckpoint = 0`, `INSERT INTO mdl_config (name, value) VALUES ('last', 'in the log only')`)...)
	if err := os.CopyFS(filepath.Join(crashed, "copy"), os.DirFS(filepath.Dir(live))); err != nil {
		t.Fatal(err)
	}
	return source, filepath.Join(crashed, "copy")
}

// sqliteHolds describes everything in the database of a directory, read from a copy.
func sqliteHolds(t *testing.T, dir string) string {
	t.Helper()
	at := t.TempDir()
	for _, end := range []string{"", "-wal", "-journal"} {
		data, err := os.ReadFile(filepath.Join(dir, "site.sqlite"+end))
		if err == nil {
			err = os.WriteFile(filepath.Join(at, "site.sqlite"+end), data, 0o600)
		} else if end != "" && errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db := sqliteAt(t, filepath.Join(at, "site.sqlite")).SQL
	all := lines(t, db, `SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master UNION ALL SELECT 'config ' || id || ' ' || name || ' ' || value FROM mdl_config
		UNION ALL SELECT name || ' stands at ' || seq FROM sqlite_sequence UNION ALL SELECT * FROM pragma_integrity_check`)
	return strings.Join(all, "\n")
}

// watcher counts the events in a directory, and kills a program at a chosen one.
type watcher struct {
	inotify *os.File
	over    sync.WaitGroup
	seen    int
	shot    bool
}

// watching starts a watcher that calls kill, unless nil, at the n-th such event.
func watching(t *testing.T, dir string, kill func(), n int, event string) *watcher {
	t.Helper()
	w := &watcher{}
	w.start(t, []string{dir}, func(_, is, name string) {
		w.seen++
		if event != "" && event != is+" "+name {
			return
		}
		if n--; n == 0 && kill != nil {
			w.shot = true
			kill()
		}
	})
	return w
}

// start calls saw, from one goroutine, for each event in the directories: created, deleted,
// renamed (to that name) or changed.
func (w *watcher) start(t *testing.T, dirs []string, saw func(dir, is, name string)) {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	byNumber := map[int32]string{}
	for _, dir := range dirs {
		if err == nil {
			var number int
			number, err = unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_MODIFY|unix.IN_DELETE|unix.IN_MOVED_TO|unix.IN_CLOSE_WRITE|unix.IN_OPEN)
			byNumber[int32(number)] = dir
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	w.inotify = os.NewFile(uintptr(fd), "inotify")
	w.over.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			size, err := w.inotify.Read(buf)
			if err != nil {
				return
			}
			for rest := buf[:size]; len(rest) > 0; {
				number, mask, length := int32(binary.NativeEndian.Uint32(rest)), binary.NativeEndian.Uint32(rest[4:]), binary.NativeEndian.Uint32(rest[12:])
				name := string(bytes.TrimRight(rest[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+length], "\x00"))
				rest = rest[unix.SizeofInotifyEvent+length:]
				is := "changed"
				switch {
				case mask&unix.IN_CREATE != 0:
					is = "created"
				case mask&unix.IN_DELETE != 0:
					is = "deleted"
				case mask&unix.IN_MOVED_TO != 0:
					is = "renamed"
				}
				saw(byNumber[number], is, name)
			}
		}
	})
}

// end stops watching and returns the number of events.
func (w *watcher) end(t *testing.T) int {
	t.Helper()
	if err := w.inotify.Close(); err != nil {
		t.Error(err)
	}
	w.over.Wait()
	return w.seen
}
