package component

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/xmldb"
)

// Owner returns which of some components a table, named without prefix, seems to be
// of by its name: mod_forum has forum and forum_*, all others have their own name
// in front (tool_vault, tool_vault_*). The longest name wins; "" for none.
func Owner(table string, components []string) string {
	best, length := "", 0
	for _, component := range components {
		for _, stem := range stems(component) {
			if len(stem) > length && (table == stem || strings.HasPrefix(table, stem+"_")) {
				best, length = component, len(stem)
			}
		}
	}
	return best
}

// stems are what names of a component's tables begin with.
func stems(component string) []string {
	kind, name, ok := strings.Cut(component, "_")
	switch {
	case !ok || name == "":
		return nil
	case kind == "mod":
		return []string{name, component}
	}
	return []string{component}
}

// Components lists the plugins of a code and those that a database has, by name.
func (c *Code) Components(installed map[string]Version) []string {
	var all []string
	for _, p := range c.Plugins {
		all = append(all, p.Component)
	}
	for name := range installed {
		if name != Core {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Tables returns which of the tables of a database are a component's own: those in
// its install.xml, or, where its code is not there, those without a definition
// that its name suggests.
func (c *Code) Tables(component string, definitions []xmldb.Definition, installed map[string]Version, tables []string) []string {
	defined := map[string]string{}
	for _, d := range definitions {
		for _, t := range d.Tables {
			if _, twice := defined[t.Name]; !twice {
				defined[t.Name] = d.Component
			}
		}
	}
	_, there := c.byName[component]
	components := c.Components(installed)
	if !there && !slices.Contains(components, component) {
		components = append(components, component)
	}
	var own []string
	for _, table := range tables {
		owner, known := defined[table]
		if !known && !there {
			owner = Owner(table, components)
		}
		if owner == component {
			own = append(own, table)
		}
	}
	slices.Sort(own)
	return slices.Compact(own)
}
