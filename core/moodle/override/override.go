// Package override decides which of the settings that a site's config.php forces are
// part of a backup.
//
// A forced setting replaces the one in the database, so a backup of the database alone
// would hold a value that the site does not use. List decides about every setting;
// Values returns those to carry over, which a restore writes to the tables config and
// config_plugins. Settings that describe the machine or its database are not carried.
//
// All functions are safe for concurrent use.
package override

import (
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/php"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
)

// Fate is what a backup does with a forced setting, as the reason why.
type Fate string

// The fates. All but Carried mean that the backup does not have the value.
const (
	Carried  Fate = ""
	Machine  Fate = "it belongs to the machine"
	Unstored Fate = "the database has no such setting"
	Array    Fate = "it is an array or an object, which a setting in the database cannot be"
	Null     Fate = "it is null, which a setting in the database cannot be"
	Unknown  Fate = "its value is not known without PHP"
)

// Setting is a forced setting and its fate. Formatting it does not print the value,
// which may be a password.
type Setting struct {
	siteconfig.Setting
	Fate Fate
}

// String returns the name, for a plugin's setting as PLUGIN/NAME.
func (s Setting) String() string {
	if s.Plugin == "" {
		return s.Name
	}
	return s.Plugin + "/" + s.Name
}

// List decides about the settings that config.php forces, in its order. stored reports
// whether the site's database has a setting; plugin is "" for Moodle's core.
//
// Settings that only config.php can have, such as dbpass and wwwroot, are left out, and
// so are those with the value that Moodle would compute, and all of tool_vault.
func List(site *siteconfig.Site, stored func(plugin, name string) bool) []Setting {
	forced := site.Forced()
	var all []Setting
	for _, s := range forced.Core {
		if !never(s.Name) && !computed(site, s) {
			all = append(all, Setting{s, fate(s, stored)})
		}
	}
	for _, s := range forced.Plugins {
		if s.Plugin != toolVault {
			all = append(all, Setting{s, fate(s, stored)})
		}
	}
	return all
}

// fate decides about one setting. Whether it exists comes before its value: an array
// that the database does not have is no loss.
func fate(s siteconfig.Setting, stored func(plugin, name string) bool) Fate {
	switch kind := s.Value.Kind(); {
	case s.Plugin == "" && machine(s.Name):
		return Machine
	case !stored(s.Plugin, s.Name):
		return Unstored
	case kind == php.KindUnknown:
		return Unknown
	case kind == php.KindNull:
		return Null
	}
	if _, ok := s.Text(); !ok {
		return Array
	}
	return Carried
}

// Values returns the carried settings with their values.
func Values(list []Setting) moodle.Overrides {
	o := moodle.Overrides{Core: map[string]string{}, Plugins: map[string]map[string]string{}}
	for _, s := range list {
		text, ok := s.Text()
		switch {
		case s.Fate != Carried || !ok:
		case s.Plugin == "":
			o.Core[s.Name] = text
		case o.Plugins[s.Plugin] == nil:
			o.Plugins[s.Plugin] = map[string]string{s.Name: text}
		default:
			o.Plugins[s.Plugin][s.Name] = text
		}
	}
	return o
}
