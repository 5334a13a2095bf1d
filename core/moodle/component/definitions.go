package component

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/lmsvault/vault/core/moodle/xmldb"
)

// Definitions reads the install.xml of core and of every plugin that has one, core
// first. It returns a Problem for each file that it can't read or parse.
func (c *Code) Definitions(ctx context.Context) ([]xmldb.Definition, []Problem, error) {
	var all []xmldb.Definition
	var problems []Problem
	read := func(component, dir string) {
		name := path.Join(dir, "db/install.xml")
		src, err := c.file(name)
		if errors.Is(err, fs.ErrNotExist) && component != Core {
			return
		}
		var tables []xmldb.Table
		if err == nil {
			tables, err = xmldb.Parse(src)
		}
		if err != nil {
			problems = append(problems, Problem{Path: name, Text: err.Error()})
			return
		}
		all = append(all, xmldb.Definition{Component: component, Tables: tables})
	}
	read(Core, path.Join(c.web, "lib"))
	for _, p := range c.Plugins {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		read(p.Component, p.Dir)
	}
	return all, problems, nil
}
