package component

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/xmldb"
)

// Owner guesses from the name of a table, without the site's prefix, to which of
// components it belongs: forum and forum_* to mod_forum, tool_vault and tool_vault_*
// to tool_vault. The longest match wins; "" if there is none.
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

// stems returns what the names of a component's tables begin with.
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

// Components lists the plugins that are in the code or installed in a database, by name.
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

// Tables returns which of tables belong to a component: those in its install.xml. If
// the code of the component is missing, it returns those that no component defines
// and that Owner attributes to it.
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
