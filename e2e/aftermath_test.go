package e2e

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/internal/lab"
	"github.com/lmsvault/vault/internal/servers"
)

// What Moodle itself keeps about its code, caches and sessions fits the new site after a
// restore of a real site to the other engine. Then a plugin whose code is gone is removed.
func TestRealSiteFitsItsCodeAfterARestore(t *testing.T) {
	t.Parallel()
	dir := lab.Unpack(t, "my")
	from, to := servers.MariaDB(t), servers.Postgres(t)
	lab.Load(t, filepath.Join(dir, "site.sql"), from, "mysql")
	if _, err := from.SQL.ExecContext(t.Context(), "INSERT INTO mdl_sessions (state, sid, userid, timecreated, timemodified) VALUES (0, 'x', 2, 1, 1)"); err != nil {
		t.Fatal(err)
	}
	source, target := filepath.Join(dir, "code"), filepath.Join(dir, "target")
	if out, err := exec.Command("cp", "-r", source, target).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.WriteFile(filepath.Join(target, "config.php"), []byte(configPHP(t, "pgsql", to, filepath.Join(dir, "new"))), 0o600); err != nil {
		t.Fatal(err)
	}
	my, err := mysql.ParseDSN(from.DSN)
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := strings.Cut(my.Addr, ":")
	begin := time.Now().Unix()
	must(t, []string{"HOST=" + host, "PORT=" + port, "NAME=" + my.DBName, "USERNAME=" + my.User, "PASS=" + my.Passwd, "SITE_DBPASS=" + password(t, to)}, "run", "--yes", "--allow-restore", pipelineFile(t, fmt.Sprintf(`version: 1
accept_loss: {view: 1}
select: {exclude_tables: [%s]}
source:
  - use: moodle
    with: {dir: %q, settings: {dbhost: "${env:HOST}", dboptions.dbport: "${env:PORT}", dbname: "${env:NAME}", dbuser: "${env:USERNAME}", dbpass: "${env:PASS}"}}
sink: [{use: moodle, with: {dir: %q, parts: [db], reset_identifier: true}}]
`, odd, source, target)))

	for name, want := range map[string]string{"allversionshash": labHash(t), "maxbytes": "20971520", "country": "DE"} {
		if got := setting(t, to, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"themerev", "jsrev", "templaterev", "langrev", "localcachedirpurged"} {
		if n, err := strconv.ParseInt(setting(t, to, name), 10, 64); err != nil || n < begin || n > time.Now().Unix() {
			t.Errorf("%s is %d, %v", name, n, err)
		}
	}
	if got := setting(t, to, "siteidentifier"); len(got) != 32+len("moodle.example.org") || !strings.HasSuffix(got, "moodle.example.org") {
		t.Errorf("the identifier is %s", got)
	}
	for query, want := range map[string]string{
		"SELECT COUNT(*) FROM mdl_sessions": "0",
		fmt.Sprintf("SELECT COUNT(*) FROM mdl_course WHERE cacherev NOT BETWEEN %d AND %d", begin, time.Now().Unix()):                                          "0",
		"SELECT string_agg(name || '=' || value, ' ' ORDER BY name) FROM mdl_config_plugins WHERE plugin = 'quiz' AND name IN ('attempts', 'overduehandling')": "attempts=3 overduehandling=autoabandon",
		"SELECT value FROM mdl_config_plugins WHERE plugin = 'logstore_standard' AND name = 'loglifetime'":                                                     "365",
	} {
		if got := lines(t, to.SQL, query); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}

	if err := os.RemoveAll(filepath.Join(target, "mod/questionnaire")); err != nil {
		t.Fatal(err)
	}
	before := counts(t, to)
	out := must(t, []string{"SITE_DBPASS=" + password(t, to)}, "moodle", "remove-missing", target, "--yes")
	if !strings.Contains(out.stdout, "mod_questionnaire was removed") || strings.Count(strings.ReplaceAll(out.stdout, "tool_vault was removed", ""), "was removed") != 1 { // the lab's code lacks tool_vault, too
		t.Errorf("%s", out.stdout)
	}
	after := counts(t, to)
	for _, query := range []string{
		"SELECT COUNT(*) FROM pg_tables WHERE tablename LIKE 'mdl\\_questionnaire%'", "SELECT COUNT(*) FROM mdl_config_plugins WHERE plugin IN ('mod_questionnaire', 'questionnaire')",
		"SELECT COUNT(*) FROM mdl_capabilities WHERE component = 'mod_questionnaire'", "SELECT COUNT(*) FROM mdl_role_capabilities WHERE capability LIKE 'mod/questionnaire:%'",
		"SELECT COUNT(*) FROM mdl_task_scheduled WHERE component = 'mod_questionnaire'", "SELECT COUNT(*) FROM mdl_files WHERE component = 'mod_questionnaire'", "SELECT COUNT(*) FROM mdl_modules WHERE name = 'questionnaire'",
		"SELECT COUNT(*) FROM mdl_course_modules WHERE module NOT IN (SELECT id FROM mdl_modules)",
	} {
		if got := lines(t, to.SQL, query); got[0] != "0" {
			t.Errorf("%s: %s", query, got)
		}
	}
	if len(before)-len(after) < 10 {
		t.Errorf("%d tables were dropped", len(before)-len(after))
	}
	shared := []string{"capabilities", "role_capabilities", "config_plugins", "task_scheduled", "task_adhoc", "files", "modules", "course_modules", "event", "external_functions", "external_services_functions", "grade_items", "grade_grades", "log_display", "message_providers", "tag_area", "tag_coll", "tag_instance", "user_preferences", "config", "external_services"}
	for table, n := range after {
		if n != before[table] && !slices.Contains(shared, strings.TrimPrefix(table, "mdl_")) {
			t.Errorf("%s has %d rows instead of %d", table, n, before[table])
		}
	}
}

// labHash returns the version hash of the lab's code, from the versions that PHP has
// reported. The plugin tool_vault, which is not in the lab's code, is left out.
func labHash(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(lab.Dir(t), "all_versions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var reported struct{ Order [][2]any }
	if err := json.Unmarshal(data, &reported); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	n := 0
	for _, pair := range reported.Order {
		name, version := pair[0].(string), int64(pair[1].(float64))
		if name == "tool_vault" {
			continue
		}
		kind := "i"
		if name == "core" {
			kind = "d"
		}
		n++
		fmt.Fprintf(&b, `s:%d:"%s";%s:%d;`, len(name), name, kind, version)
	}
	return fmt.Sprintf("%x", sha1.Sum([]byte(fmt.Sprintf("a:%d:{%s}", n, b.String()))))
}

// counts returns the number of rows of each table.
func counts(t *testing.T, db servers.Database) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, table := range lines(t, db.SQL, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") {
		n, err := strconv.Atoi(lines(t, db.SQL, `SELECT COUNT(*) FROM "`+table+`"`)[0])
		if err != nil {
			t.Fatal(err)
		}
		all[table] = n
	}
	return all
}
