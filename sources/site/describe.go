package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/override"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

// description is what the source finds out about a site.
type description struct {
	address   string // "" if it is unknown
	dataroot  string // likewise
	engine    string // of the database
	prefix    string
	stored    map[string]string // the settings of core in the database
	overrides []override.Setting
	code      *component.Code // nil if it cannot be read
	plugins   []component.Plugin
	configPHP []byte // nil unless it is part of the backup
	notes     []stage.Note
}

// describe reads config.php, the database and the code.
func describe(ctx context.Context, c *Config) (*description, error) {
	there, err := c.Read(ctx)
	if err != nil {
		return nil, err
	}
	d := &description{}
	var unknown error
	if d.address, unknown = there.WWWRoot(); unknown != nil {
		d.note("metadata.json", "the site's address is not known: %v", unknown)
	}
	if d.dataroot, unknown = there.DataRoot(); unknown != nil {
		d.note("metadata.json", "the data root is not known: %v", unknown)
	}
	if err := d.settings(ctx, there, c.Without); err != nil {
		return nil, err
	}
	if d.code, err = there.Code(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		d.note("plugins.json", "the list of plugins is left out: %v", err)
	} else {
		d.plugins = slices.DeleteFunc(slices.Clone(d.code.Plugins), func(p component.Plugin) bool { return slices.Contains(c.Without, p.Component) })
	}
	if c.ConfigPHP {
		if d.configPHP, err = os.ReadFile(there.File); err != nil {
			return nil, fmt.Errorf("reading config.php: %w", err)
		}
	}
	return d, nil
}

func (d *description) note(document, format string, args ...any) {
	d.notes = append(d.notes, stage.Note{Path: stage.Site + "/" + document, Text: fmt.Sprintf(format, args...)})
}

// settings decides which settings of config.php are carried: those that the database has.
func (d *description) settings(ctx context.Context, there *site.Site, without []string) (err error) {
	session, err := there.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close(context.WithoutCancel(ctx))) }()
	d.engine, d.prefix = session.Dialect(), session.Prefix()
	if d.stored, err = session.Settings(ctx, ""); err != nil {
		return fmt.Errorf("reading the site's settings: %w", err)
	}
	stored, err := session.StoredSettings(ctx)
	if err != nil {
		return fmt.Errorf("reading the names of the site's settings: %w", err)
	}
	d.overrides = slices.DeleteFunc(override.List(there.Site, stored), func(s override.Setting) bool {
		return slices.ContainsFunc(without, func(plugin string) bool { return s.Plugin == plugin || s.Plugin != "" && "mod_"+s.Plugin == plugin })
	})
	for _, s := range d.overrides {
		if s.Fate == override.Array || s.Fate == override.Null || s.Fate == override.Unknown {
			d.note("overrides.json", "config.php forces %s, which the backup does not have: %s", s, s.Fate)
		}
	}
	if open := there.Forced().Open; open != nil {
		d.note("overrides.json", "config.php may force more settings than are known: %s", open)
	}
	return nil
}

// facts adds what a restore needs to know.
func (d *description) facts(facts map[string]string) error {
	if d.address != "" {
		facts[moodle.AddressFact] = d.address
	}
	if d.dataroot != "" {
		facts[moodle.DatarootFact] = d.dataroot
	}
	values, err := json.Marshal(override.Values(d.overrides))
	if err != nil {
		return err
	}
	facts[moodle.OverridesFact] = string(values)
	if d.code == nil || !d.code.StandardKnown() {
		return nil
	}
	addons := []string{}
	for _, p := range d.plugins {
		if !p.Standard {
			addons = append(addons, p.Component)
		}
	}
	slices.SortFunc(addons, strings.Compare)
	list, err := json.Marshal(addons)
	facts[moodle.AddonsFact] = string(list)
	return err
}
