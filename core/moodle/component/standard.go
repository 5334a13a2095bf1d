package component

import (
	"context"
	"fmt"
	"path"

	"github.com/lmsvault/vault/core/moodle/php"
)

// standard lists the plugins of the Moodle distribution, now and formerly.
type standard struct {
	known         bool
	there, former map[string]bool // by component
}

// standard reads the list of standard plugins from lib/plugins.json or, before Moodle
// 4.5, from two functions of the plugin manager.
func (c *Code) standard(ctx context.Context) standard {
	for _, name := range c.libFiles("plugins.json") {
		src, err := readFile(c.fsys, name)
		if err != nil {
			continue
		}
		list, err := readJSON(src)
		if err != nil {
			c.problem(name, 0, "invalid JSON: %v", err)
			break
		}
		there, _ := list.get("standard").(array)
		former, _ := list.get("deleted").(array)
		return standard{there != nil, components(there), components(former)}
	}
	name := path.Join(c.web, "lib/classes/plugin_manager.php")
	src, err := readFile(c.fsys, name)
	if err != nil {
		c.problem(name, 0, "cannot tell which plugins are standard: no lib/plugins.json, and reading this file: %v", err)
		return standard{}
	}
	there, err := c.listOf(ctx, string(src), "standard_plugins_list")
	if err != nil {
		c.problem(name, 0, "cannot tell which plugins are standard: %v", err)
		return standard{}
	}
	former, err := c.listOf(ctx, string(src), "is_deleted_standard_plugin")
	if err != nil {
		c.problem(name, 0, "cannot tell which plugins Moodle has removed: %v", err)
	}
	return standard{true, there, former}
}

// listOf evaluates the list in a function of the plugin manager, as a set of components.
func (c *Code) listOf(ctx context.Context, src, function string) (map[string]bool, error) {
	list, err := listIn(src, function)
	if err != nil {
		return nil, err
	}
	values, _, err := c.run(ctx, "<?php $out = new stdClass(); $out->list = "+list+";", "out")
	if err != nil {
		return nil, err
	}
	if v := values["list"].Value; v.Unknown() != nil || v.Kind() != php.KindArray {
		return nil, fmt.Errorf("the list in %s can't be determined without executing it", function)
	}
	set := map[string]bool{}
	for kind, names := range values["list"].Value.Items {
		for _, name := range names.Items {
			text, _ := name.Text()
			set[kind+"_"+text] = true
		}
	}
	return set, nil
}

// components converts lists of names by type to a set of components.
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

// StandardKnown reports whether the list of standard plugins could be read. If not,
// no plugin is marked Standard.
func (c *Code) StandardKnown() bool { return c.list.known }

// libFiles returns where a file of lib may be: since Moodle 5.1 there is a directory
// lib beside public and another one in it.
func (c *Code) libFiles(name string) []string {
	if c.web == "." {
		return []string{"lib/" + name}
	}
	return []string{"lib/" + name, c.web + "/lib/" + name}
}
