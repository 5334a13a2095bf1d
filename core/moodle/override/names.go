package override

import (
	"path"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/siteconfig"
)

const toolVault = "tool_vault"

// neverCarried lists settings that locate the site, which config.php must set.
var neverCarried = []string{
	"dbtype", "dblibrary", "dbhost", "dbname", "dbuser", "dbpass", "prefix", "dboptions", "wwwroot", "dataroot", "dirroot", "libdir",
}

// never reports whether a setting of core is for config.php only. The prefixes are those
// of tests and of a JavaScript library that reads its settings early.
func never(name string) bool {
	return slices.Contains(neverCarried, name) ||
		slices.ContainsFunc([]string{"yui", "phpunit_", "behat_", toolVault + "_"}, func(p string) bool { return strings.HasPrefix(name, p) })
}

// ofMachine lists settings of core whose values name something on the site's machine:
// a directory, a program, a class of its code, an account.
var ofMachine = []string{
	"supportuserid", "sessioncookiepath", "session_handler_class", "alternative_file_system_class", "alternative_cache_factory_class",
	"alternative_component_cache", "lock_factory", "file_lock_root", "tempdir", "backuptempdir", "cachedir", "localcachedir",
	"localrequestdir", "langotherroot", "langlocalroot", "themedir", "admin", "directorypermissions", "filepermissions",
	"umaskpermissions", "aspellpath",
}

// machine reports whether a setting of core belongs to the machine.
func machine(name string) bool {
	return slices.Contains(ofMachine, name) || strings.HasPrefix(name, "pathto")
}

// computed reports whether a setting has the value that Moodle would compute.
func computed(site *siteconfig.Site, s siteconfig.Setting) bool {
	text, ok := s.Text()
	if !ok {
		return false
	}
	if s.Name == "directorypermissions" {
		n, ok := s.Value.Int()
		return ok && n == siteconfig.DefaultPermissions
	}
	root, err := site.DataRoot()
	if err != nil {
		return false
	}
	usual := map[string]string{
		"admin":          "admin",
		"tempdir":        root + "/temp",
		"backuptempdir":  root + "/temp/backup",
		"cachedir":       root + "/cache",
		"localcachedir":  root + "/localcache",
		"langotherroot":  root + "/lang",
		"langlocalroot":  root + "/lang",
		"file_lock_root": root + "/lock",
		"themedir":       site.Web + "/theme",
		"httpswwwroot":   wwwroot(site),
	}
	value, ok := usual[s.Name]
	return ok && (text == value || path.Clean(text) == value)
}

// wwwroot returns the site's address, or "" if it is unknown.
func wwwroot(site *siteconfig.Site) string {
	address, err := site.WWWRoot()
	if err != nil {
		return ""
	}
	return address
}
