package checkbackup_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/actions/checkbackup"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/internal/servers"
)

// structure creates the tables that the checks read, on any engine.
const structure = `CREATE TABLE {config} (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, value TEXT);
CREATE TABLE {config_plugins} (id BIGINT NOT NULL PRIMARY KEY, plugin VARCHAR(100) NOT NULL, name VARCHAR(100) NOT NULL, value TEXT);
CREATE TABLE {course} (id BIGINT NOT NULL PRIMARY KEY, category BIGINT NOT NULL, fullname VARCHAR(254) NOT NULL, shortname VARCHAR(255) NOT NULL);
CREATE TABLE {user} (id BIGINT NOT NULL PRIMARY KEY);
CREATE TABLE {context} (id BIGINT NOT NULL PRIMARY KEY, contextlevel BIGINT NOT NULL, instanceid BIGINT NOT NULL, path VARCHAR(255));
CREATE TABLE {files} (id BIGINT NOT NULL PRIMARY KEY, contenthash VARCHAR(40) NOT NULL, contextid BIGINT NOT NULL, component VARCHAR(100) NOT NULL, filearea VARCHAR(50) NOT NULL, filename VARCHAR(255) NOT NULL, filesize BIGINT NOT NULL);
CREATE TABLE {task_adhoc} (id BIGINT NOT NULL PRIMARY KEY, classname VARCHAR(255) NOT NULL, timestarted BIGINT);
CREATE TABLE {tool_vault_operation} (id BIGINT NOT NULL PRIMARY KEY, type VARCHAR(32), status VARCHAR(20) NOT NULL, timemodified BIGINT NOT NULL);
INSERT INTO {config} (id, name, value) VALUES (1, 'siteidentifier', 'abc'), (2, 'version', '2024100706'), (3, 'release', '4.5.6'), (4, 'maxbytes', '0');
INSERT INTO {config_plugins} (id, plugin, name, value) VALUES (1, 'mod_forum', 'version', '5');
INSERT INTO {course} (id, category, fullname, shortname) VALUES (1, 0, 'Site', 'site'), (2, 1, 'Mathematics', 'MATH');
INSERT INTO {context} (id, contextlevel, instanceid, path) VALUES (1, 10, 0, '/1'), (5, 50, 2, '/1/3/5'), (9, 70, 4, '/1/3/5/9')`

// small is a small site on one engine.
type small struct {
	database.Address
	root string
	db   *database.Database
}

// engines returns a small site on each engine.
func engines(t *testing.T) map[string]func(t *testing.T) *small {
	at := func(engine string, db func(testing.TB) servers.Database) func(t *testing.T) *small {
		return func(t *testing.T) *small {
			return open(t, database.Address{Engine: engine, DSN: config.NewSecret(db(t).DSN), Prefix: "mdl_"})
		}
	}
	return map[string]func(t *testing.T) *small{
		"MariaDB": at("mysql", servers.MariaDB), "MySQL": at("mysql", servers.MySQL), "PostgreSQL": at("postgres", servers.Postgres),
		"SQLite": sqliteSite,
	}
}

func sqliteSite(t *testing.T) *small {
	path := filepath.Join(t.TempDir(), "site.sqlite")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, database.Address{Engine: "sqlite", Path: path, Prefix: "mdl_"})
}

func open(t *testing.T, a database.Address) *small {
	t.Helper()
	db, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s := &small{Address: a, root: t.TempDir(), db: db}
	for statement := range strings.SplitSeq(structure, ";\n") {
		s.exec(t, statement)
	}
	if err := os.Mkdir(filepath.Join(s.root, "filedir"), 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *small) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := s.db.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// content adds a content to the file pool and returns its hash.
func (s *small) content(t *testing.T, text string) string {
	t.Helper()
	sum := sha1.Sum([]byte(text))
	hash := hex.EncodeToString(sum[:])
	s.file(t, "filedir/"+moodle.ContentPath(hash), text)
	return hash
}

func (s *small) file(t *testing.T, path, text string) {
	t.Helper()
	full := filepath.Join(s.root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// check returns the findings of one check as lines, without remedies.
func (s *small) check(t *testing.T, id string, c checkbackup.Config, plan *stage.Plan) []string {
	t.Helper()
	if c.Engine == "" {
		c.Address = s.Address
	}
	if c.DataRoot == "" {
		c.DataRoot = s.root
	}
	for _, k := range checkbackup.Checks().Checks {
		if k.ID != id {
			c.Skip = append(c.Skip, k.ID)
		}
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	a, err := checkbackup.Stage().NewAction(t.Context(), &c, stage.Env{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Run(t.Context(), stage.ActionRequest{Moment: stage.MomentPlanned, Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range r.Findings {
		if f.ID == id {
			line := fmt.Sprintf("%s %s", f.Level, f.What)
			if f.Where != "" {
				line += " @" + f.Where
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// Missing and wrong contents are named by component, course and file. Sizes are compared
// always, hashes on request.
func TestMissingAndWrongFilesAreFound(t *testing.T) {
	for name, site := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := site(t)
			good, bad, short := s.content(t, "good"), s.content(t, "bad one"), s.content(t, "short one")
			s.file(t, "filedir/"+moodle.ContentPath(bad), "BAD ONE")
			gone := strings.Repeat("e", 40)
			for i, f := range []struct {
				hash, name string
				context    int
				size       int64
			}{
				{good, "good.txt", 9, 4}, {bad, "bad.txt", 1, 7}, {short, "short.txt", 9, 8}, {gone, "gone ü.txt", 9, 5}, {gone, "again.txt", 9, 5},
				{moodle.EmptyContent, ".", 9, 0},
			} {
				s.exec(t, "INSERT INTO {files} (id, contenthash, contextid, component, filearea, filename, filesize) VALUES (?, ?, ?, ?, ?, ?, ?)",
					i+1, f.hash, f.context, "mod_folder", "content", f.name, f.size)
			}
			missing := s.check(t, "missing-files", checkbackup.Config{}, nil)
			if len(missing) != 1 || !strings.HasPrefix(missing[0], "fail mod_folder content, course MATH, file ") || !strings.HasSuffix(missing[0], "the content is missing @"+gone) {
				t.Errorf("missing: %q", missing)
			}
			size := "note mod_folder content, course MATH, file short.txt: the content is right and has 9 bytes, but the table files says 8 @" + short
			want(t, s.check(t, "wrong-files", checkbackup.Config{}, nil), size, "ok 3 contents examined, none is wrong")
			want(t, s.check(t, "wrong-files", checkbackup.Config{VerifyFiles: true}, nil), size,
				"fail mod_folder content, file bad.txt: the content has the SHA-1 84f8ba11e67f02c2fd8df5c40d7d0600d8e099b6 @"+bad)
			accepted := s.check(t, "missing-files", checkbackup.Config{Accept: []string{"missing_file=1"}}, nil)
			if len(accepted) != 1 || !strings.HasPrefix(accepted[0], "note ") {
				t.Errorf("accepted: %q", accepted)
			}
			plan := &stage.Plan{Facts: map[string]string{stage.SelectionFact: `{"exclude_files":["filedir/ee"]}`}}
			want(t, s.check(t, "missing-files", checkbackup.Config{}, plan), "ok 3 contents examined, none is missing")
			want(t, s.check(t, "missing-files", checkbackup.Config{}, &stage.Plan{Parts: []string{stage.DB}}), "note not performed, because the run does not read the file pool")
			want(t, s.check(t, "site-size", checkbackup.Config{}, plan)[1:], "note 4 files, 24 B; the largest has 8 B @filedir", "note 0 files, 0 B @dataroot")
		})
	}
}

// What is at work is read from the tables of Moodle and tool_vault.
func TestWhatIsAtWorkIsFound(t *testing.T) {
	for name, site := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := site(t)
			for id, what := range map[string]string{"tool-vault": "operations of tool_vault", "running-tasks": "running tasks", "maintenance-mode": "maintenance mode"} {
				want(t, s.check(t, id, checkbackup.Config{}, nil), "ok "+what+": no problems found")
			}
			now := time.Now().Unix()
			s.exec(t, "INSERT INTO {tool_vault_operation} (id, type, status, timemodified) VALUES (1, 'backup', 'finished', ?), (2, 'restore', 'inprogress', ?), (3, 'check:diskspace', 'inprogress', ?)", now, now, now)
			s.exec(t, "INSERT INTO {task_adhoc} (id, classname, timestarted) VALUES (1, ?, ?), (2, 'waiting', NULL)", `\core\task\x`, now)
			s.exec(t, "INSERT INTO {config} (id, name, value) VALUES (10, 'maintenance_enabled', '1'), (11, 'upgraderunning', ?)", now+100)
			s.file(t, "climaintenance.html", "closed")
			stamp := time.Unix(now, 0).UTC().Format("2006-01-02 15:04:05 UTC")
			want(t, s.check(t, "tool-vault", checkbackup.Config{}, nil), "fail the operation restore of tool_vault is in progress, last active at "+stamp+" @tool_vault_operation")
			want(t, s.check(t, "running-tasks", checkbackup.Config{}, nil), "note 1 task of Moodle is running")
			want(t, s.check(t, "maintenance-mode", checkbackup.Config{}, nil),
				"note the site is in maintenance mode; a site restored from this backup will be, too @maintenance_enabled", "note the site is closed by climaintenance.html, which is not part of the backup @climaintenance.html")
			want(t, s.check(t, "upgrade", checkbackup.Config{}, nil), "fail an upgrade is running @upgraderunning", "warning the check could not be performed: it needs the site's code; set dir to the directory with config.php")
		})
	}
}

func TestTablesWithoutTransactionsAreFound(t *testing.T) {
	s := open(t, database.Address{Engine: "mysql", DSN: config.NewSecret(servers.MariaDB(t).DSN), Prefix: "mdl_"})
	want(t, s.check(t, "not-transactional", checkbackup.Config{}, nil), "ok tables without transactions: no problems found")
	s.exec(t, "ALTER TABLE {course} ENGINE=MyISAM")
	want(t, s.check(t, "not-transactional", checkbackup.Config{}, nil), "warning table course has the engine MyISAM, which has no transactions @course")
	for _, plan := range []*stage.Plan{
		{Facts: map[string]string{stage.SelectionFact: `{"exclude_tables":["cours*"]}`}},
		{Tables: []stage.TableInfo{{Schema: schema.Table{Name: "user"}}}}, // nothing else is read
	} {
		want(t, s.check(t, "not-transactional", checkbackup.Config{}, plan), "ok tables without transactions: no problems found")
	}
}

func TestServerAndRightsAreShown(t *testing.T) {
	for name, site := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := site(t)
			plan := &stage.Plan{Facts: map[string]string{"consistency": "one snapshot"}}
			lines := s.check(t, "database-server", checkbackup.Config{}, plan)
			if !strings.HasPrefix(lines[0], "note "+name) || !strings.HasSuffix(lines[0], "; tables are read with one snapshot") || s.Engine == "mysql" && len(lines) != 3 {
				t.Errorf("got %q", lines)
			}
			want(t, s.check(t, "database-rights", checkbackup.Config{}, nil), "ok privileges of the database user: no problems found")
			if lines := s.check(t, "environment", checkbackup.Config{}, nil); len(lines) < 2 || lines[0] != "note Moodle 4.5.6, according to the database; the code is not given" {
				t.Errorf("got %q", lines)
			}
		})
	}
}

func TestDiskSpaceIsMeasuredWhereTheRunWrites(t *testing.T) {
	s := sqliteSite(t)
	missing := filepath.Join(t.TempDir(), "not", "yet")
	lines := s.check(t, "disk-space", checkbackup.Config{Repositories: []string{missing}, Targets: []string{s.root}}, &stage.Plan{Bytes: 1 << 60})
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "warning ") || !strings.HasSuffix(lines[0], "@"+missing) || !strings.HasPrefix(lines[1], "fail ") || !strings.HasSuffix(lines[1], "but 1.0 EiB are needed @"+s.root) {
		t.Errorf("got %q", lines)
	}
	lines = s.check(t, "disk-space", checkbackup.Config{Repositories: []string{missing}}, &stage.Plan{Bytes: 1})
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "ok ") {
		t.Errorf("got %q", lines)
	}
}

func TestConfigOverridesNeverShowValues(t *testing.T) {
	s := sqliteSite(t)
	code := t.TempDir()
	php := "<?php\n$CFG = new stdClass();\n$CFG->dbtype = 'sqlite'; $CFG->dataroot = '/srv/data';\n$CFG->maxbytes = 4242; $CFG->secretthing = 'zq7';\n$CFG->forced_plugin_settings = ['mod_forum' => ['version' => 4343]];\n"
	if err := os.WriteFile(filepath.Join(code, "config.php"), []byte(php), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, s.check(t, "config-overrides", checkbackup.Config{Dir: code}, nil),
		"note maxbytes is part of the backup, with the value of config.php @maxbytes",
		"note secretthing is not part of the backup: the database has no such setting (value hidden) @secretthing",
		"note mod_forum/version is part of the backup, with the value of config.php @mod_forum/version")
	want(t, s.check(t, "config-overrides", checkbackup.Config{}, nil), "warning the check could not be performed: it needs the site's code; set dir to the directory with config.php")
}

// A check that cannot be performed is a warning, and the others are performed.
func TestChecksWithoutDatabaseAreWarnings(t *testing.T) {
	c := checkbackup.Config{Address: database.Address{Engine: "sqlite", Path: "/nowhere/site.sqlite"}}
	a, err := checkbackup.Stage().NewAction(t.Context(), &c, stage.Env{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Run(t.Context(), stage.ActionRequest{})
	if err != nil || r.Level() != stage.LevelWarning {
		t.Fatalf("level %s, %v", r.Level(), err)
	}
	for _, k := range checkbackup.Checks().Checks {
		if !slices.ContainsFunc(r.Findings, func(f stage.ActionFinding) bool { return f.ID == k.ID }) {
			t.Errorf("no finding of %s", k.ID)
		}
	}
}

func TestSettingsAreValidated(t *testing.T) {
	c := checkbackup.Config{Address: database.Address{Engine: "sqlite", Path: "/x"}, Skip: []string{"missing-files", "nothing"}, Accept: []string{"missing_file"}}
	err := c.Validate()
	if err == nil || !strings.Contains(err.Error(), "skip[1] is not the ID of a check") || !strings.Contains(err.Error(), "accept_loss[0] must be KIND=COUNT") {
		t.Errorf("got %v", err)
	}
}

func TestEveryCheckIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range checkbackup.Checks().Checks {
		f := stage.ActionReport{Findings: []stage.ActionFinding{k.Finding(stage.LevelOK, "x")}}
		if seen[k.ID] || f.Validate() != nil || k.Title == "" || k.Doc == "" || len(k.Levels) == 0 {
			t.Errorf("%+v", k)
		}
		seen[k.ID] = true
	}
}

// A row can be larger than max_allowed_packet if its values were written one by one. The
// server can't send it.
func TestRowsThatServerCannotSendAreFound(t *testing.T) {
	s := open(t, database.Address{Engine: "mysql", DSN: config.NewSecret(servers.MariaDB(t).DSN), Prefix: "mdl_"})
	want(t, s.check(t, "large-rows", checkbackup.Config{}, nil), "ok no row is larger than max_allowed_packet (16 MiB)")
	s.exec(t, "CREATE TABLE {big} (id BIGINT NOT NULL PRIMARY KEY, a LONGTEXT, b LONGTEXT)")
	s.exec(t, "INSERT INTO {big} (id, a) VALUES (1, REPEAT('a', 9000000))")
	s.exec(t, "UPDATE {big} SET b = REPEAT('b', 9000000)")
	s.exec(t, "ANALYZE TABLE {big}")
	want(t, s.check(t, "large-rows", checkbackup.Config{}, nil), "fail table big has a row of 17 MiB, more than max_allowed_packet (16 MiB) @big")
}
