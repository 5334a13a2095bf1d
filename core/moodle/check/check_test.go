package check_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/override"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/core/moodle/xmldb"
	"github.com/lmsvault/vault/core/stage"
)

// shown returns findings as lines, without remedies and the ID, which must be that of c.
func shown(t *testing.T, c check.Check, found []stage.ActionFinding) []string {
	t.Helper()
	report := stage.ActionReport{Findings: found}
	if err := report.Validate(); err != nil {
		t.Error(err)
	}
	lines := []string{}
	for _, f := range found {
		if f.ID != c.ID || !slices.Contains(c.Levels, f.Level) {
			t.Errorf("%s is not a finding that %s describes", f, c.ID)
		}
		if f.Level.Above(stage.LevelNote) && f.Remedy == "" && !strings.Contains(f.What, "more") {
			t.Errorf("%s has no remedy", f)
		}
		line := fmt.Sprintf("%s %s", f.Level, f.What)
		if f.Where != "" {
			line += " @" + f.Where
		}
		if f.Exclude != nil {
			line += " -" + strings.Join(f.Exclude, " -")
		}
		lines = append(lines, line)
	}
	return lines
}

func same(t *testing.T, c check.Check, found []stage.ActionFinding, want ...string) {
	t.Helper()
	got := shown(t, c, found)
	if want == nil {
		want = []string{}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestRunPerformsEveryCheck(t *testing.T) {
	step := func(id string, found []stage.ActionFinding, err error) check.Step[int] {
		return check.Step[int]{Check: check.Check{ID: id, Title: "Title of " + id}, Run: func(_ context.Context, of int) ([]stage.ActionFinding, error) {
			if of != 7 {
				t.Errorf("the check gets %d", of)
			}
			return found, err
		}}
	}
	bad := stage.ActionFinding{ID: "bad", Level: stage.LevelFail, What: "bad"}
	steps := []check.Step[int]{step("good", nil, nil), step("bad", []stage.ActionFinding{bad}, nil), step("undone", nil, errors.New("no database")), step("skipped", nil, nil)}
	found, err := check.Run(t.Context(), steps, 7, []string{"skipped"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, f.String())
	}
	want := []string{
		"ok: good: title of good: no problems found", "fail: bad: bad",
		"warning: undone: the check could not be performed: no database; remove the cause, or skip the check with skip: [undone]",
		"note: skipped: title of skipped: skipped, as set in the pipeline",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := check.Run(ctx, steps, 7, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestDatabaseModifications(t *testing.T) {
	same(t, check.DatabaseModifications(), check.Structure{}.Findings())
	all := []xmldb.Difference{
		{Kind: xmldb.ExtraTable, Severity: xmldb.Included, Table: "zzz"},
		{Kind: xmldb.ExtraTable, Severity: xmldb.Included, Table: "left_out"},
		{Kind: xmldb.ExtraColumn, Severity: xmldb.Included, Component: "core", Table: "user", Column: "extra", Got: "int"},
		{Kind: xmldb.MissingIndex, Severity: xmldb.Noted, Component: "core", Table: "log", Index: "mdl_log_ix", Columns: []string{"time"}},
		{Kind: xmldb.MissingTable, Severity: xmldb.Noted, Component: "mod_new", Table: "new", Reason: "mod_new is not installed"},
		{Kind: xmldb.MissingTable, Severity: xmldb.Noted, Component: "mod_new", Table: "new_more", Reason: "mod_new is not installed"},
		{Kind: xmldb.Lost, Severity: xmldb.Fails, Table: "odd", Got: "column x", Reason: "unknown type"},
	}
	found := check.Structure{Differences: all, Unread: []string{"mod/a/db/install.xml: no"}, Excludes: func(table string) bool { return table == "left_out" }}.Findings()
	same(t, check.DatabaseModifications(), found,
		"warning a file with definitions could not be read, so its tables count as undefined @mod/a/db/install.xml",
		"note table zzz is not defined by any component @zzz -db/zzz",
		"note table user: column extra (int) is not defined by any component (core) @user.extra -db/user",
		"warning table log: index mdl_log_ix (time) is missing (core) @log.mdl_log_ix -db/log",
		"fail odd: column x: unknown type @odd -db/odd",
		"note 2 differences, because mod_new is not installed @mod_new")
	if want := "table new is missing\ntable new_more is missing"; found[5].Details != want {
		t.Errorf("the details are %q", found[5].Details)
	}
	var many []xmldb.Difference
	for i := range 20_000 {
		many = append(many, xmldb.Difference{Kind: xmldb.ExtraTable, Severity: xmldb.Included, Table: fmt.Sprint("t", i)})
	}
	if found := (check.Structure{Differences: many}).Findings(); len(found) != 501 || found[500].What != "19500 more differences are not listed" {
		t.Errorf("%d findings", len(found))
	}
}

func TestFreeSpace(t *testing.T) {
	const gib = 1 << 30
	same(t, check.DiskSpace(), check.FreeSpace([]check.Place{
		{Dir: "/a", Use: check.Repository, FileSystem: "1", Bytes: 9 * gib, Inodes: -1, Need: 5 * gib},
		{Dir: "/b", Use: check.Repository, FileSystem: "2", Bytes: 3 * gib, Inodes: 1e6, Need: 5 * gib},
		{Dir: "/c", Use: check.Target, FileSystem: "3", Bytes: 9 * gib, Inodes: 1e6, Need: 5 * gib},
		{Dir: "/d", Use: check.Target, FileSystem: "3", Bytes: 9 * gib, Inodes: 1e6, Need: 5 * gib},
		{Dir: "/e", Use: check.Temporary, FileSystem: "4", Bytes: 100 << 20, Inodes: 1e6},
		{Dir: "/f", Use: check.Repository, FileSystem: "5", Bytes: 0, Inodes: 1e6},
		{Dir: "/g", Use: check.Repository, FileSystem: "6", Bytes: gib, Inodes: 3},
		{Dir: "/h", Use: check.Repository, Err: errors.New("no such host")},
		{Dir: "/i", Use: check.Temporary, FileSystem: "1", Bytes: gib, Inodes: -1},
	}),
		"ok 9.0 GiB are free and 5.0 GiB are needed at most @/a",
		"warning 3.0 GiB are free and the site has 5.0 GiB; a backup of everything might not fit @/b",
		"fail 9.0 GiB are free, but 10 GiB are needed @/c",
		"fail 9.0 GiB are free, but 10 GiB are needed @/d",
		"warning 100 MiB are free for temporary files; a run may need 256 MiB @/e",
		"fail the disk is full: 0 B are free @/f",
		"fail the file system has only 3 inodes left @/g",
		"warning the check could not be performed: no such host @/h",
		"ok 1.0 GiB are free for temporary files @/i")
}

func TestUnreadablePaths(t *testing.T) {
	u := check.Unreadable{Part: stage.Dataroot, Dir: "/srv", Paths: []string{"a/b", "c"}, Count: 3}
	same(t, check.UnreadablePaths(), check.Unreadable{}.Findings(0))
	same(t, check.UnreadablePaths(), u.Findings(2), "fail cannot be read @dataroot/a/b -dataroot/a/b", "fail cannot be read @dataroot/c -dataroot/c", "fail 1 more files and directories cannot be read @dataroot")
	same(t, check.UnreadablePaths(), u.Findings(3), "note cannot be read @dataroot/a/b -dataroot/a/b", "note cannot be read @dataroot/c -dataroot/c", "note 1 more files and directories cannot be read @dataroot")
	same(t, check.UnreadablePaths(), check.Unreadable{Part: stage.Filedir, Dir: "/srv/x", Err: errors.New("not mounted")}.Findings(9), "fail the directory of filedir cannot be read: not mounted @/srv/x")
}

func TestMissingAndWrongFiles(t *testing.T) {
	b := check.BadContents{Contents: []check.BadContent{{Hash: "ab", Component: "mod_folder", Area: "content", Course: "MATH", Name: "a.pdf"}}, Count: 2, Examined: 10}
	same(t, check.MissingFiles(), b.Findings(check.MissingFiles()), "fail mod_folder content, course MATH, file a.pdf: the content is missing @ab", "fail 1 more contents of 10 examined ones @filedir")
	b.Accepted = 2
	same(t, check.MissingFiles(), b.Findings(check.MissingFiles()), "note mod_folder content, course MATH, file a.pdf: the content is missing @ab", "note 1 more contents of 10 examined ones @filedir")
	b = check.BadContents{Examined: 10, Notes: []check.BadContent{{Hash: "cd", Component: "user", Name: "f1", Problem: "the content is right"}}}
	same(t, check.WrongFiles(), b.Findings(check.WrongFiles()), "note user, file f1: the content is right @cd", "ok 10 contents examined, none is wrong")
	b = check.BadContents{Count: 1, Contents: []check.BadContent{{Hash: "ab", Component: "user", Name: "f1", Problem: "other SHA-1"}}, Elsewhere: "tool_objectfs"}
	found := b.Findings(check.WrongFiles())
	if same(t, check.WrongFiles(), found, "fail user, file f1: other SHA-1 @ab"); !strings.HasPrefix(found[0].Remedy, "the plugin tool_objectfs keeps files elsewhere") {
		t.Errorf("the remedy is %q", found[0].Remedy)
	}
}

func TestConfigOverridesHideValues(t *testing.T) {
	setting := func(plugin, name string, fate override.Fate) override.Setting {
		return override.Setting{Setting: siteconfig.Setting{Plugin: plugin, Name: name}, Fate: fate}
	}
	same(t, check.ConfigOverrides(), check.Overrides(nil, ""))
	same(t, check.ConfigOverrides(), check.Overrides([]override.Setting{
		setting("", "maxbytes", override.Carried), setting("quiz", "list", override.Array), setting("", "tempdir", override.Machine), setting("", "x", override.Unknown),
	}, "it includes a file that cannot be read"),
		"note maxbytes is part of the backup, with the value of config.php @maxbytes",
		"warning quiz/list is not part of the backup: it is an array or an object, which a setting in the database cannot be (value hidden) @quiz/list",
		"note tempdir is not part of the backup: it belongs to the machine (value hidden) @tempdir",
		"warning x is not part of the backup: its value is not known without PHP (value hidden) @x",
		"warning config.php may force further settings: it includes a file that cannot be read")
}

func TestDatabaseServer(t *testing.T) {
	same(t, check.DatabaseServer(), check.Server{Product: "PostgreSQL 15", Consistency: "one snapshot"}.Findings(), "note PostgreSQL 15; tables are read with one snapshot")
	same(t, check.DatabaseServer(), check.Server{Product: "MySQL 8.4", Packet: 1 << 20, LocalInfile: "OFF"}.Findings(),
		"note MySQL 8.4",
		"note local_infile is OFF, so a restore into this server loads rows with INSERT, which is slower @local_infile",
		"warning max_allowed_packet is 1.0 MiB; a restore into this server may be unable to write large values @max_allowed_packet")
}

func TestDatabaseRights(t *testing.T) {
	only := func(rights ...string) func(...string) bool {
		return func(any ...string) bool {
			return slices.ContainsFunc(any, func(r string) bool { return slices.Contains(rights, r) })
		}
	}
	same(t, check.DatabaseRights(), check.Rights{Has: only("SELECT", "RELOAD", "TRIGGER", "EVENT", "EXECUTE")}.Findings())
	same(t, check.DatabaseRights(), check.Rights{Database: "`m`", Has: only("EVENT")}.Findings(),
		"fail the database user lacks SELECT: some tables would be silently omitted @SELECT",
		"note the database user lacks LOCK TABLES: all tables are read on one connection, which is slower @LOCK TABLES",
		"warning the database user lacks TRIGGER, EXECUTE: triggers, events or routines are hidden from it, so they cannot be listed as lost @TRIGGER")
	same(t, check.DatabaseRights(), check.Rights{Unreadable: []string{"mdl_user"}}.Findings(), "fail the database user may not read mdl_user @mdl_user")
}

func TestTablesWithoutTransactions(t *testing.T) {
	same(t, check.NotTransactional(), check.WithoutTransactions(map[string]string{"a": "InnoDB", "b": "", "c": "ROCKSDB"}, "mdl_"))
	found := check.WithoutTransactions(map[string]string{"log": "MyISAM", "user": "InnoDB"}, "mdl_")
	if same(t, check.NotTransactional(), found, "warning table log has the engine MyISAM, which has no transactions @log -db/log"); found[0].Remedy != "ALTER TABLE mdl_log ENGINE=InnoDB" {
		t.Errorf("the remedy is %q", found[0].Remedy)
	}
}

func TestLargeRows(t *testing.T) {
	same(t, check.LargeRows(), check.RowSizes{Packet: 16 << 20, Largest: map[string]int64{"a": 5}}.Findings(), "ok no row is larger than max_allowed_packet (16 MiB)")
	same(t, check.LargeRows(), check.RowSizes{Packet: 16 << 20, Largest: map[string]int64{"a": 20 << 20}, Left: []string{"b"}}.Findings(),
		"fail table a has a row of 20 MiB, more than max_allowed_packet (16 MiB) @a -db/a", "note 1 large tables were not measured for lack of time")
}

func TestEnvironment(t *testing.T) {
	same(t, check.Environment(), check.Environ{Release: "4.5.6", Branch: "405", Database: "MariaDB 10.11", PHP: "8.2.1"}.Findings(), "note Moodle 4.5.6, branch 405", "note MariaDB 10.11", "note PHP 8.2.1")
	same(t, check.Environment(), check.Environ{Installed: "4.5.6", Problems: []string{"mod/x: no"}}.Findings(),
		"note Moodle 4.5.6, according to the database; the code is not given", "warning the code has a file that is missing or could not be understood")
}

func TestWhatIsAtWork(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	same(t, check.ToolVault(), check.Operations(nil, now))
	same(t, check.ToolVault(), check.Operations([]check.Operation{
		{Type: "restore", Started: true, Modified: now.Add(-time.Minute)}, {Type: "backup", Started: true, Modified: now},
		{Type: "restore", Started: true, Modified: now.Add(-time.Hour)}, {Type: "backup", Modified: now},
	}, now),
		"fail the operation restore of tool_vault is in progress, last active at 2027-01-15 07:59:00 UTC @tool_vault_operation",
		"warning the operation backup of tool_vault is in progress, last active at 2027-01-15 08:00:00 UTC @tool_vault_operation",
		"note the operation restore of tool_vault is marked as in progress but has probably died, last active at 2027-01-15 07:00:00 UTC @tool_vault_operation",
		"warning the operation backup of tool_vault is scheduled, last active at 2027-01-15 08:00:00 UTC @tool_vault_operation")

	same(t, check.RunningTasks(), check.Tasks(nil))
	found := check.Tasks([]check.Task{{Class: `\core\task\x`, Started: now}, {Class: `\a`, AdHoc: true, Started: now}})
	if same(t, check.RunningTasks(), found, "note 2 tasks of Moodle are running"); found[0].Details != "\\a (ad hoc), since 2027-01-15 08:00:00 UTC\n\\core\\task\\x (scheduled), since 2027-01-15 08:00:00 UTC" {
		t.Errorf("the details are %q", found[0].Details)
	}

	same(t, check.MaintenanceMode(), check.Maintenance(false, false))
	same(t, check.MaintenanceMode(), check.Maintenance(true, true),
		"note the site is in maintenance mode; a site restored from this backup will be, too @maintenance_enabled",
		"note the site is closed by climaintenance.html, which is not part of the backup @climaintenance.html")
}

func TestUpgrade(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	version := func(text string) component.Version {
		v, err := component.ParseVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	same(t, check.Upgrade(), check.UpgradeState{Now: now}.Findings())
	found := check.UpgradeState{Now: now, Running: now.Add(time.Minute), States: []component.State{
		{Component: "core", Change: component.Upgrade, Code: version("2"), Database: version("1")},
		{Component: "mod_a", Change: component.Upgrade, Code: version("4"), Database: version("3")},
		{Component: "mod_b", Change: component.Missing, Database: version("3")},
		{Component: "mod_c", Change: component.Lower, Code: version("2"), Database: version("3")},
	}}.Findings()
	same(t, check.Upgrade(), found,
		"fail an upgrade is running @upgraderunning",
		"warning 1 plugin has code older than the database @plugins-lower",
		"warning Moodle itself has code newer than the database: an upgrade is due @core",
		"warning 1 plugin has code newer than the database: an upgrade is due @plugins-upgrade",
		"note 1 plugin has no code, but is installed in the database @plugins-missing")
	if found[2].Details != "core: code 2, database 1" {
		t.Errorf("the details are %q", found[2].Details)
	}
	same(t, check.Upgrade(), check.UpgradeState{Now: now, Running: now.Add(-time.Minute)}.Findings(), "warning an upgrade did not finish; it was running until 2027-01-15 07:59:00 UTC @upgraderunning")
}

func TestSiteSize(t *testing.T) {
	same(t, check.SiteSize(), check.Size{
		Tables: []check.TableSize{{Name: "log", Rows: 5000, Bytes: 3 << 20}, {Name: "user", Rows: 10, Bytes: 1 << 20}},
		Files:  &check.FileSize{Count: 1200, Bytes: 5 << 30, Largest: 1 << 30}, DataRoot: &check.FileSize{Count: 3, Bytes: 10},
	}.Findings(),
		"note 2 tables with about 5,010 rows, 4.0 MiB; the largest is log with about 5,000 rows, 3.0 MiB @db",
		"note 1,200 files, 5.0 GiB; the largest has 1.0 GiB @filedir", "note 3 files, 10 B @dataroot")
}

func TestPageDescribesEveryCheck(t *testing.T) {
	page := check.Page([]check.Group{{Title: "Before a backup", Doc: "They run.", Checks: []check.Check{check.DiskSpace(), check.Upgrade()}}})
	for _, want := range []string{"## Before a backup\n\nThey run.\n", "| [disk-space](#disk-space) | ok, note, warning, fail |\n", "\n### upgrade\n\n**Upgrades** (ok, note, warning, fail)\n\nLooks for", "\nWhat to do: finish the upgrade"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
}
