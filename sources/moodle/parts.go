package moodle

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// partSettings say which parts of the site are read.
type partSettings struct {
	Only []string `key:"parts" help:"parts of the site to read: db, filedir, dataroot; default: all. To change the engine, read db only. Documents about the site are always read" example:"[db]"`
}

var known = []string{stage.DB, stage.Filedir, stage.Dataroot}

// check checks the names.
func (c *partSettings) check() error {
	for _, name := range c.Only {
		if !slices.Contains(known, name) {
			return config.At("parts", "parts must list some of %s", strings.Join(known, ", "))
		}
	}
	if c.Only != nil && len(c.Only) == 0 {
		return config.At("parts", "parts is an empty list; remove it to read everything")
	}
	return nil
}

// reads reports whether a part of the site is wanted.
func (c *partSettings) reads(part string) bool { return c.Only == nil || slices.Contains(c.Only, part) }

// chosen returns the parts of the composite that are wanted. parts are by the part of a
// site that they read.
func (c *partSettings) chosen(parts map[string]stage.Part) []stage.Part {
	var list []stage.Part
	for _, name := range known {
		if c.reads(name) {
			list = append(list, parts[name])
		}
	}
	return append(list, parts[stage.Site]) // a restore needs its facts, whatever else is read
}
