package component

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Change is the kind of difference between the code of a component and a database.
type Change string

// The changes.
const (
	Missing Change = "missing" // installed in the database, and the code is missing
	Removed Change = "removed" // missing because Moodle no longer contains it; the upgrade uninstalls it
	Lower   Change = "lower"   // the code is older than the database; Moodle refuses to run
	Upgrade Change = "upgrade" // the code is newer than the database; Moodle needs an upgrade
	Extra   Change = "extra"   // not installed in the database; Moodle will install it
	Unknown Change = "unknown" // the version of the code could not be determined
)

// State describes a component whose code and database differ.
type State struct {
	Component string // core or a plugin
	Parent    string // of a subplugin, "" if there is none or it is unknown
	Change    Change
	Standard  bool    // part of this Moodle distribution
	Code      Version // none if the code is missing
	Database  Version
}

// Installed returns the versions in a database by component. core is the setting
// version in table config; plugins are the values of the same name in
// config_plugins, by plugin. Like Moodle, it ignores names that are not components.
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

// Compare lists the components whose code differs from the versions in a database or
// a backup: core first, then by name, subplugins after their parents.
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
			s.Change = Unknown
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

// family returns the key by which states are sorted first.
func (s State) family() string {
	switch {
	case s.Component == Core:
		return ""
	case s.Parent != "":
		return s.Parent
	}
	return s.Component
}

// Names lists the components of states for a message, at most ten.
func Names(states []State) string {
	var names []string
	for i, s := range states {
		if i == 10 {
			names = append(names, fmt.Sprintf("and %d more", len(states)-i))
			break
		}
		names = append(names, s.Component)
	}
	return strings.Join(names, ", ")
}

// Pending returns the reason why the tables of a component may legitimately differ
// from its code: it is not installed, or not at this version. "" for none.
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
