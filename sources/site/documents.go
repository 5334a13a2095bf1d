package site

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lmsvault/vault/core/moodle/override"
)

// metadata is the document metadata.json.
type metadata struct {
	MadeBy   string    `json:"made_by"`
	Time     time.Time `json:"time"`
	Address  string    `json:"address,omitempty"`
	Dataroot string    `json:"dataroot,omitempty"`
	Site     string    `json:"site_identifier,omitempty"`
	// Installed is Moodle according to the database, Code according to its code. They
	// differ while an upgrade is due.
	Installed moodleVersion  `json:"installed"`
	Code      *moodleVersion `json:"code,omitempty"`
	Database  struct {
		Engine string `json:"engine"`
		Prefix string `json:"prefix"`
	} `json:"database"`
}

type moodleVersion struct {
	Version string `json:"version"`
	Release string `json:"release"`
}

// plugin is a plugin in the document plugins.json.
type plugin struct {
	Component string `json:"component"`
	Type      string `json:"type"`
	Version   string `json:"version,omitempty"`
	Release   string `json:"release,omitempty"`
	Requires  string `json:"requires,omitempty"` // version of Moodle
	Standard  bool   `json:"standard"`
	Parent    string `json:"parent,omitempty"`
	Directory string `json:"directory"`
}

// forced is a setting in the document overrides.json. Value is nil if it is left out.
type forced struct {
	Plugin string  `json:"plugin,omitempty"`
	Name   string  `json:"name"`
	Value  *string `json:"value"`
	Reason string  `json:"left_out_because,omitempty"`
}

// documents returns the documents.
func (d *description) documents(c *Config, version string, now time.Time) ([]document, error) {
	m := metadata{
		MadeBy: "Vault " + version, Time: now.UTC().Truncate(time.Second), Address: d.address, Dataroot: d.dataroot, Site: d.stored["siteidentifier"],
		Installed: moodleVersion{d.stored["version"], d.stored["release"]},
	}
	m.Database.Engine, m.Database.Prefix = d.engine, d.prefix
	all := []any{"metadata.json", &m, "overrides.json", map[string]any{"settings": d.forced()}}
	if d.code != nil {
		m.Code = &moodleVersion{d.code.Version.String(), d.code.Release}
		all = append(all, "plugins.json", map[string]any{"standard_known": d.code.StandardKnown(), "plugins": d.onDisk(), "problems": d.problems()})
	}
	var list []document
	for i := 0; i < len(all); i += 2 {
		name, _ := all[i].(string)
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(all[i+1]); err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
		list = append(list, document{name, b.Bytes()})
	}
	if c.ConfigPHP {
		list = append(list, document{"config.php", d.configPHP})
	}
	return list, nil
}

func (d *description) onDisk() []plugin {
	list := []plugin{}
	for _, p := range d.plugins {
		list = append(list, plugin{
			Component: p.Component, Type: p.Type, Version: p.Version.String(), Release: p.Declared.Release, Requires: p.Requires.String(),
			Standard: p.Standard, Parent: p.Parent, Directory: p.Dir,
		})
	}
	return list
}

// problems lists what in the code could not be determined.
func (d *description) problems() []string {
	list := []string{}
	for _, p := range d.code.Problems {
		list = append(list, p.String())
	}
	return list
}

// forced lists the settings that config.php forces, with the values of those that are
// carried.
func (d *description) forced() []forced {
	list := []forced{}
	for _, s := range d.overrides {
		f := forced{Plugin: s.Plugin, Name: s.Name, Reason: string(s.Fate)}
		if text, ok := s.Text(); ok && s.Fate == override.Carried {
			f.Value = &text
		}
		list = append(list, f)
	}
	return list
}
