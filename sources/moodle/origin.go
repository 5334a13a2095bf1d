package moodle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// origin is the site that is read, and what is left out of it.
type origin struct {
	config    *siteconfig.Site
	address   database.Address
	dataroot  string
	session   *database.Database         // nil unless the site may be asked
	tables    map[string]*database.Table // by name without prefix; nil likewise
	plugin    map[string]string          // settings of tool_vault that are known
	selection selection.Selection        // what the pipeline or tool_vault leaves out
	standing  selection.Selection        // what is always left out
	notes     []stage.Note
}

// origin reads config.php and, if the site may be asked, connects to its database. The
// caller closes it.
func (c *Config) origin(ctx context.Context, env stage.ExpandEnv) (*origin, error) {
	site, err := siteconfig.Read(ctx, c.Dir, siteconfig.Options{Env: env.Lookup, Address: c.Address, Given: c.Settings})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, config.At("dir", "%s has no config.php; set dir to the directory with the site's code", c.Dir)
	}
	if err != nil {
		return nil, err
	}
	tables, err := site.Database()
	root, rootErr := site.DataRoot()
	if err := errors.Join(err, rootErr); err != nil {
		return nil, err
	}
	o := &origin{config: site, address: database.FromConfig(tables), dataroot: root, plugin: map[string]string{}}
	if env.Online {
		if err := o.ask(ctx); err != nil {
			return nil, errors.Join(err, o.close(ctx))
		}
	}
	for _, s := range site.Forced().Plugins {
		if text, ok := s.Text(); ok && s.Plugin == toolVault {
			o.plugin[s.Name] = text
		}
	}
	return o, nil
}

// ask reads the structure of the tables and the settings of tool_vault.
func (o *origin) ask(ctx context.Context) (err error) {
	if o.session, err = o.address.Open(ctx); err != nil {
		return err
	}
	tables, err := o.session.Tables(ctx)
	if err != nil {
		return err
	}
	o.tables = make(map[string]*database.Table, len(tables))
	for i := range tables {
		o.tables[tables[i].Name] = &tables[i]
	}
	if !o.has("config_plugins", "plugin", "name", "value") {
		return nil
	}
	o.plugin, err = o.session.Settings(ctx, toolVault)
	return err
}

func (o *origin) close(ctx context.Context) error {
	if o.session == nil {
		return nil
	}
	return o.session.Close(context.WithoutCancel(ctx))
}

// has reports whether the site has a table with these columns, true if it is not known.
func (o *origin) has(table string, columns ...string) bool {
	if o.tables == nil {
		return true
	}
	t := o.tables[table]
	return t != nil && !slices.ContainsFunc(columns, func(name string) bool { return t.Column(name) == nil })
}

// names returns the names of the site's tables.
func (o *origin) names() []string { return slices.Sorted(maps.Keys(o.tables)) }

func (o *origin) note(format string, args ...any) {
	o.notes = append(o.notes, stage.Note{Path: "moodle", Text: fmt.Sprintf(format, args...)})
}

// listed returns the items of a setting of tool_vault, and notes that it is used, because
// key is not set. Items that check refuses are noted.
func (o *origin) listed(setting, key string, check func(item string) error) []string {
	items := strings.FieldsFunc(o.plugin[setting], func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })
	items = slices.DeleteFunc(items, func(item string) bool {
		err := check(item)
		if err != nil {
			o.note("%s of tool_vault lists %q, which cannot be left out: it %v", setting, item, err)
		}
		return err != nil
	})
	if len(items) > 0 {
		o.note("%s of tool_vault in the site is used: %s; set %s to decide otherwise", setting, strings.Join(items, ", "), key)
	}
	return items
}
