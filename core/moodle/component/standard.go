package component

import (
	"path"
)

// standard lists the plugins that come with Moodle, and those that did once.
type standard struct {
	known         bool
	there, former map[string]bool // by component
}

// standard reads the list of plugins that come with Moodle: lib/plugins.json, or
// before Moodle 4.5 two functions of the plugin manager.
func (c *Code) standard() standard {
	for _, name := range c.libFiles("plugins.json") {
		src, err := readFile(c.fsys, name, maxSource)
		if err != nil {
			continue
		}
		list, err := readJSON(src)
		if err != nil {
			c.problem(name, 0, "it is not the JSON that is expected: %v", err)
			break
		}
		there, _ := list.get("standard").(array)
		former, _ := list.get("deleted").(array)
		return standard{there != nil, components(there), components(former)}
	}
	name := path.Join(c.web, "lib/classes/plugin_manager.php")
	src, err := readFile(c.fsys, name, maxSource)
	if err != nil {
		c.problem(name, 0, "it is not known which plugins come with Moodle: neither this file nor lib/plugins.json can be read: %v", err)
		return standard{}
	}
	there, ok := readList(src, "standard_plugins_list")
	if !ok {
		c.problem(name, 0, "it is not known which plugins come with Moodle: the list in standard_plugins_list can't be decided")
		return standard{}
	}
	former, _ := readList(src, "is_deleted_standard_plugin")
	return standard{true, components(there), components(former)}
}

// components makes a set of the lists of names by type.
func components(lists array) map[string]bool {
	set := map[string]bool{}
	for _, e := range lists {
		kind, _ := e.key.(string)
		names, _ := e.value.(array)
		for _, name := range names {
			if s, ok := name.value.(string); ok {
				set[kind+"_"+s] = true
			}
		}
	}
	return set
}

// StandardKnown reports whether the code says which plugins come with Moodle.
// Without it no plugin is Standard.
func (c *Code) StandardKnown() bool { return c.list.known }

// libFiles are the places where a file of lib may be: since Moodle 5.1 there is one
// lib beside public, and one in it.
func (c *Code) libFiles(name string) []string {
	if c.web == "." {
		return []string{"lib/" + name}
	}
	return []string{"lib/" + name, c.web + "/lib/" + name}
}
