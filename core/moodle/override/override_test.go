package override_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/override"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
)

const located = `<?php
$CFG = new stdClass();
$CFG->dbtype = 'pgsql'; $CFG->dbhost = 'db'; $CFG->dbname = 'm'; $CFG->dbuser = 'u'; $CFG->dbpass = 'zq7pass'; $CFG->prefix = 'mdl_';
$CFG->wwwroot = 'https://moodle.example.org'; $CFG->dataroot = '/srv/data'; $CFG->admin = 'admin'; $CFG->directorypermissions = 02777;
`

func read(t *testing.T, php string) *siteconfig.Site {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.php"), []byte(located+php), 0o600); err != nil {
		t.Fatal(err)
	}
	site, err := siteconfig.Read(t.Context(), dir, siteconfig.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return site
}

// everything is a database that has every setting except those with "new" in their name.
func everything(_, name string) bool { return !strings.Contains(name, "new") }

func TestOnlySettingsOfTheDatabaseAreCarried(t *testing.T) {
	site := read(t, `
$CFG->supportemail = 'help@example.org'; $CFG->maxbytes = 20 * 1024; $CFG->noemailever = true; $CFG->enablestats = false;
$CFG->smtppass = 'zq7smtp'; $CFG->newsetting = 'x'; $CFG->newlist = ['x'];
$CFG->supportuserid = 2; $CFG->sessioncookiepath = '/m/'; $CFG->session_handler_class = '\core\session\redis';
$CFG->alternative_file_system_class = '\tool_objectfs\s3_file_system'; $CFG->tempdir = '/mnt/temp'; $CFG->pathtophp = '/usr/bin/php';
$CFG->cachedir = '/srv/data/cache/'; $CFG->localcachedir = $CFG->dataroot . '/localcache';
$CFG->yuicomboloading = 0; $CFG->phpunit_prefix = 'phpu_'; $CFG->behat_wwwroot = 'http://behat'; $CFG->tool_vault_key = 'zq7vault';
$CFG->mylist = ['a', 'b']; $CFG->theme = null; $CFG->siteadmins = unknown_function('zq7unknown');
$CFG->forced_plugin_settings = ['quiz' => ['attempts' => 3, 'newone' => 1, 'list' => []], 'auth_ldap' => ['bind_pw' => 'zq7bind'],
	'tool_vault' => ['allowrestore' => 1]];
`)
	list := override.List(site, everything)
	got := map[string]override.Fate{}
	for _, s := range list {
		got[s.String()] = s.Fate
	}
	want := map[string]override.Fate{
		"supportemail": override.Carried, "maxbytes": override.Carried, "noemailever": override.Carried, "enablestats": override.Carried, "smtppass": override.Carried,
		"newsetting": override.Unstored, "newlist": override.Unstored,
		"supportuserid": override.Machine, "sessioncookiepath": override.Machine, "session_handler_class": override.Machine,
		"alternative_file_system_class": override.Machine, "tempdir": override.Machine, "pathtophp": override.Machine,
		"mylist": override.Array, "theme": override.Null, "siteadmins": override.Unknown,
		"quiz/attempts": override.Carried, "quiz/newone": override.Unstored, "quiz/list": override.Array, "auth_ldap/bind_pw": override.Carried,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	values := override.Values(list)
	if want := (moodle.Overrides{
		Core:    map[string]string{"supportemail": "help@example.org", "maxbytes": "20480", "noemailever": "1", "enablestats": "", "smtppass": "zq7smtp"},
		Plugins: map[string]map[string]string{"quiz": {"attempts": "3"}, "auth_ldap": {"bind_pw": "zq7bind"}},
	}); !reflect.DeepEqual(values, want) {
		t.Errorf("got  %v\nwant %v", values, want)
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", list, list, list, list); strings.Contains(shown, "zq7") {
		t.Errorf("a value is shown: %s", shown)
	}
}
