package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
)

// MoodleSite reads which Moodle site the listed tables belong to.
func (c *Conn) MoodleSite(ctx context.Context, l *Listing) (moodle.Site, error) {
	wanted := Listing{Tables: slices.Clone(l.Tables)}
	wanted.Tables = slices.DeleteFunc(wanted.Tables, func(r Relation) bool { return !slices.Contains(moodle.SiteTables(), r.Name) })
	catalog, err := c.Inspect(ctx, &wanted)
	if err != nil {
		return moodle.Site{}, err
	}
	return moodle.FindSite(ctx, func(name string) (schema.Table, string, bool) {
		for _, t := range catalog.Tables {
			if t.Name == name {
				return t.Table, c.Site.Table(name), true
			}
		}
		return schema.Table{}, "", false
	}, func(ctx context.Context, query string) (string, error) {
		var text *string
		err := c.QueryRow(ctx, query).Scan(&text)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && text == nil {
			return "", nil
		}
		if err != nil {
			return "", c.Explain(err, "reading the site's identifier")
		}
		return *text, nil
	})
}
