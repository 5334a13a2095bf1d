package component

import (
	"cmp"
	"slices"
	"strings"
)

// Change is how a plugin in the code differs from what a database was used with.
type Change string

// The changes.
const (
	Missing  Change = "missing"  // the database has it, the code doesn't
	Removed  Change = "removed"  // the same, and Moodle itself has removed it: its upgrade takes it away
	Lower    Change = "lower"    // the code is older than the database; Moodle refuses to run
	Upgrade  Change = "upgrade"  // the code is newer; Moodle has to be upgraded
	Extra    Change = "extra"    // the code has it, the database doesn't; Moodle installs it
	Versions Change = "versions" // the version of one of the two is not known
)

// State is a component that is not the same in a code and a database.
type State struct {
	Component string // core or a plugin
	Parent    string // of a subplugin, "" for none and where it is not known
	Change    Change
	Standard  bool    // it comes with this Moodle
	Code      Version // none where the code lacks it
	Database  Version
}

// Installed makes the versions by component of what a database keeps: the setting
// version of core, and those of plugins by their names in config_plugins. Names
// that are no component are left out, as Moodle does.
func Installed(core string, plugins map[string]string) map[string]Version {
	all := map[string]Version{}
	add := func(component, text string) {
		v, err := ParseVersion(text)
		if err != nil {
			v = Version{text} // Moodle takes any text, and compares its number
		}
		all[component] = v
	}
	if core != "" {
		add(Core, core)
	}
	for name, text := range plugins {
		if kind, rest, ok := strings.Cut(name, "_"); ok && kind != "" && rest != "" {
			add(name, text)
		}
	}
	return all
}

// Compare lists the components whose code doesn't fit the versions that a database
// or a backup has: core first, then by name, subplugins behind their parents.
func (c *Code) Compare(installed map[string]Version) []State {
	var states []State
	add := func(component, parent string, code Version, known, there bool) {
		s := State{Component: component, Parent: parent, Standard: component == Core || c.list.there[component], Code: code}
		database, has := installed[component]
		s.Database = database
		switch {
		case !has && !there:
			return
		case !has:
			s.Change = Extra
		case !there && c.list.former[component]:
			s.Change = Removed
		case !there:
			s.Change = Missing
		case !known:
			s.Change = Versions
		case code.Compare(database) < 0:
			s.Change = Lower
		case code.Compare(database) > 0:
			s.Change = Upgrade
		default:
			return
		}
		states = append(states, s)
	}
	add(Core, "", c.Version, true, true)
	for _, p := range c.Plugins {
		// A plugin without a version is not installed in any database.
		if _, has := installed[p.Component]; has || !p.Version.IsZero() || !p.Known {
			add(p.Component, p.Parent, p.Version, p.Known, true)
		}
	}
	for component := range installed {
		if _, there := c.byName[component]; !there && component != Core {
			kind, _, _ := strings.Cut(component, "_")
			add(component, c.parents[kind], Version{}, false, false)
		}
	}
	slices.SortFunc(states, func(a, b State) int {
		return cmp.Or(
			strings.Compare(a.family(), b.family()), // core sorts by itself
			strings.Compare(a.Parent, b.Parent), strings.Compare(a.Component, b.Component),
		)
	})
	return states
}

// family is what a state is sorted by.
func (s State) family() string {
	switch {
	case s.Component == Core:
		return ""
	case s.Parent != "":
		return s.Parent
	}
	return s.Component
}

// Pending says why the tables of a component may not be as its code defines them,
// for a database with those versions; "" for no reason.
func (c *Code) Pending(component string, installed map[string]Version) string {
	code, known := c.Version, true
	if component != Core {
		p, ok := c.Plugin(component)
		if !ok {
			return ""
		}
		code, known = p.Version, p.Known
	}
	database, ok := installed[component]
	switch {
	case !ok:
		return component + " is not installed in this database"
	case !known || code.Compare(database) == 0:
		return ""
	case code.Compare(database) > 0:
		return component + " has to be upgraded from " + database.String() + " to " + code.String()
	}
	return "the code of " + component + " (" + code.String() + ") is older than the database (" + database.String() + ")"
}
