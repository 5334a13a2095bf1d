package restore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/dialects/database"
	"github.com/lmsvault/vault/dialects/site"
)

// targetSettings locate the site that is replaced.
type targetSettings struct {
	site.Settings
	Dirs []string `key:"dirs" help:"the directories that are restored, too: the file pool and the data root" example:"[/var/moodledata]"`
}

// target is what is found in place of the site that is restored.
type target struct {
	Place      string      // the database, for messages
	Empty      bool        // no table with the prefix
	Unfinished bool        // marked by an interrupted restore
	Site       moodle.Site // zero if it is unknown
	WWWRoot    string      // of config.php; "" if unknown
	Version    string
	Release    string
	Allows     string // tool_vault's allowrestore in the database
	Tables     int
	Rows       int64 // estimate; 0 if unknown
	Bytes      int64 // estimate
	Used       time.Time
	Dirs       []string // directories that are not empty
}

// target reads what the database and the directories hold.
func (c *targetSettings) target(ctx context.Context, config *site.Site) (t *target, err error) {
	t = &target{Empty: true}
	t.WWWRoot, _ = config.WWWRoot() // unknown is ""
	for _, dir := range c.Dirs {
		names, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if len(names) > 0 {
			t.Dirs = append(t.Dirs, dir)
		}
	}
	address, err := config.Address()
	if err != nil {
		return nil, err
	}
	t.Place = address.Path
	d, err := open(ctx, config)
	if d == nil || err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, d.Close(ctx)) }()
	t.Place = d.Address()
	return t, t.read(ctx, d)
}

func (t *target) read(ctx context.Context, d *database.Database) error {
	var err error
	if t.Unfinished, err = d.Unfinished(ctx); err != nil {
		return err
	}
	tables, err := d.Tables(ctx)
	if err != nil {
		return err
	}
	t.Tables, t.Empty = len(tables), len(tables) == 0
	for _, table := range tables {
		t.Rows += table.Rows
		t.Bytes += table.Bytes
	}
	if d.Dialect() == "sqlite" {
		if info, err := os.Stat(d.Address()); err == nil {
			t.Bytes = info.Size()
		}
	}
	if t.Empty {
		return nil
	}
	if t.Site, err = d.Site(ctx); err != nil || t.Site.ID == "" {
		return err
	}
	// The tables config and course are Moodle's, so the others are taken to be.
	for _, one := range []struct {
		table, query string
		to           *string
	}{
		{"config", "SELECT value FROM {config} WHERE name = 'version'", &t.Version},
		{"config", "SELECT value FROM {config} WHERE name = 'release'", &t.Release},
		{"config_plugins", "SELECT value FROM {config_plugins} WHERE plugin = 'tool_vault' AND name = 'allowrestore'", &t.Allows},
	} {
		if table, err := d.Table(ctx, one.table); err != nil || table == nil {
			return err
		}
		found, err := d.First(ctx, one.query)
		if err != nil {
			return err
		}
		*one.to = found.String
	}
	return t.lastUse(ctx, d)
}

// lastUse finds when a user was last on the site.
func (t *target) lastUse(ctx context.Context, d *database.Database) error {
	table, err := d.Table(ctx, "user")
	if err != nil || table == nil || table.Column("lastaccess") == nil {
		return err
	}
	found, err := d.First(ctx, "SELECT MAX(lastaccess) FROM {user}")
	if err != nil {
		return err
	}
	if n, err := strconv.ParseInt(strings.TrimSpace(found.String), 10, 64); err == nil && n > 0 {
		t.Used = time.Unix(n, 0).UTC()
	}
	return nil
}
