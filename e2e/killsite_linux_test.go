package e2e

import (
	"bufio"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/internal/faultproxy"
	"github.com/lmsvault/vault/internal/pgtest"
	"github.com/lmsvault/vault/internal/servers"
)

// A restore that replaces a whole site is killed in each of its phases. Each time the site
// is the old one or the new one, or it is closed for visitors; a recovery makes it one of
// the two, and the next restore makes it the new one, with nothing beside it.
func TestKilledSwapNeverMixesSites(t *testing.T) {
	site := [2]wholeSite{newWholeSite(t, 0), newWholeSite(t, 1)}
	common := []moment{
		{at: "phase prepare"}, {at: "phase read"}, {at: "phase finish"}, {at: "phase prove"},
		{at: "step preparing to publish"},
		{at: "created filedir/"}, {at: "created filedir/", nth: 4},
		{at: "created data/climaintenance.html"},
		{at: "created data/.vault-restoring"}, {at: "renamed data/", nth: 2}, {at: "renamed data/", nth: 4},
		{at: "deleted filedir/"}, {at: "deleted filedir/", nth: 4},
		{at: "step cleaning up"}, {at: "deleted data/climaintenance.html"}, {at: "event done"},
	}
	for name, make := range map[string]func(*testing.T, *trigger) wholeTarget{"mariadb": mariadbTarget, "postgres": postgresTarget, "sqlite": sqliteTarget} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &trigger{}
			to := make(t, k)
			to.data = filepath.Join(t.TempDir(), "data")
			var want [2]string // the databases
			for n := range site {
				must(t, to.env, "run", to.restore(t, site[n]))
				var beside []string
				if want[n], beside = to.holds(t); len(beside) > 0 {
					t.Fatalf("a complete run leaves %q", beside)
				}
				if is := to.look(t, site, want); is != n || to.closed(t) {
					t.Fatalf("after a restore of site %d the target is site %d, closed: %t", n, is, to.closed(t))
				}
			}
			is, fired, closed, recovered := 1, 0, 0, map[int]int{}
			for round, m := range slices.Concat(common, to.moments) {
				next := 1 - is
				restore := to.restore(t, site[next])
				err := k.run(t, m, to, restore)
				switch {
				case k.fired():
					fired++
				case err != nil:
					t.Fatalf("%v: a run after a killed one fails: %v", m, err)
				default:
					t.Errorf("%v never came", m)
				}
				to.alone(t)
				if to.closed(t) {
					closed++
				} else if to.look(t, site, want) < 0 {
					t.Fatalf("killed at %v: the site is open and neither the old one nor the new one: %s", m, to.describe(t, site, want))
				}
				if round%2 == to.recovers {
					out := must(t, to.env, "recover", restore)
					got := to.look(t, site, want)
					if got < 0 || to.closed(t) {
						t.Fatalf("killed at %v: vault recover leaves neither site, or a closed one: %s\n%s", m, to.describe(t, site, want), out.stdout)
					}
					to.clean(t, m, site[got])
					recovered[map[bool]int{true: 1}[got == next]]++
					is = got
					continue
				}
				must(t, to.env, "run", restore)
				if got := to.look(t, site, want); got != next || to.closed(t) {
					t.Fatalf("killed at %v: the next run leaves site %d, closed: %t: %s", m, got, to.closed(t), to.describe(t, site, want))
				}
				to.clean(t, m, site[next])
				is = next
			}
			t.Logf("%d runs were killed, %d of them left the site closed; recovery made it the old one %d times and the new one %d times", fired, closed, recovered[0], recovered[1])
			if closed == 0 || recovered[0] == 0 || recovered[1] == 0 {
				t.Errorf("closed %d, recovered %v", closed, recovered)
			}
		})
	}
}

// moment is when a run is killed: at the nth event that contains a text, after one that
// contains another.
type moment struct {
	after, at string
	nth       int // 0 counts as 1
	withhold  bool
}

// trigger kills a run at its moment. Events are the run's own, changes of files, and
// statements.
type trigger struct {
	mu     sync.Mutex
	moment moment
	kill   func()
	shot   bool
}

func (k *trigger) fired() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.shot
}

func (k *trigger) decide(event string) faultproxy.Fate {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.kill == nil || k.shot:
	case k.moment.after != "":
		if strings.Contains(event, k.moment.after) {
			k.moment.after = ""
		}
	case strings.Contains(event, k.moment.at):
		if k.moment.nth--; k.moment.nth > 0 {
			break
		}
		k.shot = true
		k.kill()
		if k.moment.withhold {
			return faultproxy.Withhold
		}
	}
	return faultproxy.Pass
}

// run runs a restore and kills it at a moment.
func (k *trigger) run(t *testing.T, m moment, to wholeTarget, restore string) error {
	t.Helper()
	cmd := command(t, to.env, "run", restore, "--json")
	events, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	run, kill := killable(t, cmd)
	k.mu.Lock()
	k.moment, k.kill, k.shot = m, kill, false
	k.mu.Unlock()
	w := &watcher{}
	w.start(t, to.watched(t), func(dir, is, name string) {
		if filepath.Base(filepath.Dir(dir)) == "filedir" {
			dir = filepath.Dir(dir)
		}
		k.decide(is + " " + filepath.Base(dir) + "/" + name)
	})
	var read sync.WaitGroup
	read.Go(func() {
		for lines := bufio.NewScanner(events); lines.Scan(); {
			var e struct{ Event, Phase, Step string }
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				k.decide("event " + e.Event)
				k.decide(e.Event + " " + map[string]string{"phase": e.Phase, "step": e.Step}[e.Event])
			}
		}
	})
	started := make(chan error, 1)
	go func() { started <- run() }()
	read.Wait() // before Wait closes the pipe
	err = <-started
	w.end(t)
	k.mu.Lock()
	k.kill = nil
	k.mu.Unlock()
	return err
}

// wholeSite is a site to restore from: a directory, and what is in it.
type wholeSite struct {
	dir      string
	contents map[string]string // of the pool, by name
	tree     map[string]string // other files of the data root, by path
}

func newWholeSite(t *testing.T, n int) wholeSite {
	t.Helper()
	s := wholeSite{dir: t.TempDir(), contents: map[string]string{}, tree: map[string]string{}}
	statements := []string{
		`CREATE TABLE mdl_config (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name VARCHAR(255) NOT NULL DEFAULT '', value TEXT)`, `CREATE UNIQUE INDEX mdl_conf_nam_uix ON mdl_config (name)`,
		fmt.Sprintf(`INSERT INTO mdl_config (name, value) WITH RECURSIVE k (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < %d) SELECT 'name ' || n, 'site %d' FROM k`, 300+n, n),
		`CREATE TABLE mdl_files (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, contenthash VARCHAR(40) NOT NULL DEFAULT '', filesize INTEGER NOT NULL DEFAULT 0)`,
	}
	for i := range 40 {
		content := fmt.Sprintf("content %d", i)
		if i >= 20 { // the first are in both sites
			content += fmt.Sprintf(" of site %d", n)
		}
		hash := fmt.Sprintf("%x", sha1.Sum([]byte(content)))
		s.contents[hash] = content
		statements = append(statements, fmt.Sprintf("INSERT INTO mdl_files (contenthash, filesize) VALUES ('%s', %d)", hash, len(content)))
		writeFile(t, filepath.Join(s.dir, "data", "filedir", hash[:2], hash[2:4], hash), content)
	}
	for _, path := range []string{"lang/de/moodle.php", "geoip/cities.mmdb", "notes.txt", fmt.Sprintf("only%d/a/b", n), fmt.Sprintf("lang/only%d", n)} {
		s.tree[path] = fmt.Sprintf("%s of site %d", path, n)
		writeFile(t, filepath.Join(s.dir, "data", path), s.tree[path])
	}
	execute(t, sqliteAt(t, filepath.Join(s.dir, "site.sqlite")).SQL, statements...)
	return s
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wholeTarget is where a site is restored to.
type wholeTarget struct {
	env     []string
	sink    string // of the database
	dir     string // of a SQLite database; "" for others
	data    string // the data root
	moments []moment
	// recovers is 0 or 1: whether rounds with even or odd numbers end with vault recover; the
	// others end with another run.
	recovers int
	holds    func(t testing.TB) (site string, beside []string)
	alone    func(t testing.TB) // waits until the killed program's sessions have ended
}

// restore returns a pipeline that lists the sinks in the order that suits least.
func (to wholeTarget) restore(t *testing.T, s wholeSite) string {
	return pipelineFile(t, fmt.Sprintf(`version: 1
source: [{use: sqlite, with: {path: %[1]s/site.sqlite}}, {use: files, with: {dir: %[1]s/data/filedir}}, {use: dataroot, with: {dir: %[1]s/data}}]
sink: [{use: files, with: {dir: %[2]s/filedir, replace: true}}, {use: dataroot, with: {dir: %[2]s, replace: true}}, %[3]s]
`, s.dir, to.data, to.sink))
}

// watched lists the directories whose changes are events.
func (to wholeTarget) watched(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(to.data, "filedir", "??"))
	if err != nil {
		t.Fatal(err)
	}
	dirs = append(dirs, to.data, filepath.Join(to.data, "filedir"))
	if to.dir != "" {
		dirs = append(dirs, to.dir)
	}
	return dirs
}

// closed reports whether visitors cannot see the site.
func (to wholeTarget) closed(t *testing.T) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(to.data, "climaintenance.html"))
	return err == nil
}

// files returns the contents of the pool by name and of the rest of the data root by path,
// and Vault's own files.
func (to wholeTarget) files(t *testing.T) (contents, rest map[string]string, own []string) {
	t.Helper()
	contents, rest = map[string]string{}, map[string]string{}
	err := filepath.WalkDir(to.data, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(to.data, path)
		pool := strings.HasPrefix(rel, "filedir/")
		switch {
		case err != nil || rel == "climaintenance.html" || rel == ".vault-restored":
			return err
		case strings.HasPrefix(d.Name(), ".vault"):
			own = append(own, rel)
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		text, err := os.ReadFile(path)
		if pool {
			contents[d.Name()] = string(text)
		} else {
			rest[rel] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return contents, rest, own
}

// look returns which site the target is: its database, all contents that the database names
// and the rest of the data root; -1 for neither.
func (to wholeTarget) look(t *testing.T, sites [2]wholeSite, databases [2]string) int {
	t.Helper()
	database, _ := to.holds(t)
	contents, rest, own := to.files(t)
	for n, s := range sites {
		pool := true
		for name, text := range s.contents {
			pool = pool && contents[name] == text
		}
		if pool && database == databases[n] && maps.Equal(rest, s.tree) && !slices.Contains(own, ".vault-restoring") {
			return n
		}
	}
	return -1
}

func (to wholeTarget) describe(t *testing.T, sites [2]wholeSite, databases [2]string) string {
	t.Helper()
	database, beside := to.holds(t)
	contents, rest, own := to.files(t)
	var has []string
	for n, s := range sites {
		missing := 0
		for name, text := range s.contents {
			if contents[name] != text {
				missing++
			}
		}
		has = append(has, fmt.Sprintf("of site %d: database %t, %d contents missing, data root %t", n, database == databases[n], missing, maps.Equal(rest, s.tree)))
	}
	return fmt.Sprintf("%s; %v; beside: %q %q", strings.Join(has, "; "), slices.Sorted(maps.Keys(rest)), own, beside)
}

// clean requires that nothing is left beside a site.
func (to wholeTarget) clean(t *testing.T, m moment, s wholeSite) {
	t.Helper()
	_, beside := to.holds(t)
	contents, _, own := to.files(t)
	if len(beside) > 0 || len(own) > 0 || !maps.Equal(contents, s.contents) {
		t.Fatalf("killed at %v: left beside the site are %q, %q, and the pool has %d contents, want %d", m, beside, own, len(contents), len(s.contents))
	}
}

func mariadbTarget(t *testing.T, k *trigger) wholeTarget {
	db := servers.MariaDB(t)
	db.SQL.SetMaxOpenConns(1)
	return wholeTarget{
		env:  []string{"TO=" + faultproxy.MySQL(t, db.DSN, k.decide)},
		sink: `{use: mysql, with: {dsn: "${env:TO}", replace: true}}`,
		moments: []moment{
			{at: "RENAME TABLE", withhold: true}, {at: "RENAME TABLE"}, {at: "DROP TABLE IF EXISTS `mdl_vault_old", withhold: true}, {at: "DROP TABLE IF EXISTS `mdl_vault_old", nth: 2},
		},
		holds: func(t testing.TB) (string, []string) { return held(t, db.SQL) },
		alone: func(t testing.TB) { alone(t, db.SQL) },
	}
}

func postgresTarget(t *testing.T, k *trigger) wholeTarget {
	db := servers.Postgres(t)
	db.SQL.SetMaxOpenConns(1)
	return wholeTarget{
		env:      []string{"TO=" + faultproxy.Postgres(t, db.DSN, k.decide)},
		recovers: 1,
		sink:     `{use: postgres, with: {dsn: "${env:TO}", replace: true}}`,
		moments: []moment{
			{at: `_published"`}, {after: `_published"`, at: "COMMIT", withhold: true}, {after: `_published"`, at: "COMMIT"}, {at: `DROP TABLE "public"."vault_old_`},
		},
		holds: func(t testing.TB) (string, []string) {
			site, beside := pgtest.Contents(t, db.SQL)
			return strings.Join(site, "\n"), beside
		},
		alone: func(t testing.TB) { aloneInPostgres(t, db.SQL) },
	}
}

func sqliteTarget(t *testing.T, _ *trigger) wholeTarget {
	dir := filepath.Join(t.TempDir(), "database")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "site.sqlite")
	return wholeTarget{
		dir:     dir,
		sink:    fmt.Sprintf(`{use: sqlite, with: {path: %s, replace: true}}`, path),
		moments: []moment{{at: "created database/site.sqlite.vault-run"}, {at: "renamed database/site.sqlite"}, {at: "deleted database/site.sqlite.vault-run"}},
		holds: func(t testing.TB) (string, []string) {
			left, err := filepath.Glob(path + "?*")
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			db := sqliteAt(t, "file:"+path+"?mode=ro&immutable=1").SQL
			for _, query := range []string{"SELECT type || name || coalesce(sql, '') FROM sqlite_master", "SELECT id || name || value FROM mdl_config", "SELECT id || contenthash || filesize FROM mdl_files"} {
				text += strings.Join(lines(t.(*testing.T), db, query), "\n") + "\n"
			}
			return text, left
		},
		alone: func(testing.TB) {},
	}
}
