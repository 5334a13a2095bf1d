package postgres

import (
	"context"
	"slices"

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
	return c.moodle(catalog).Site(ctx)
}

// MoodleFacts adds which Moodle site the tables belong to, and its versions, to facts.
// where returns a condition for the rows of a table, "" for all.
func (c *Conn) MoodleFacts(ctx context.Context, catalog *Catalog, where func(table string) string, facts map[string]string) error {
	tables := c.moodle(catalog)
	tables.Where = where
	return tables.Facts(ctx, facts)
}

func (c *Conn) moodle(catalog *Catalog) moodle.Tables {
	return moodle.Tables{
		Table: func(name string) (schema.Table, string, bool) {
			for _, t := range catalog.Tables {
				if t.Name == name {
					return t.Table, c.Site.Table(name), true
				}
			}
			return schema.Table{}, "", false
		},
		Query: func(ctx context.Context, query string) ([][]string, error) {
			rows, err := c.Query(ctx, query)
			if err != nil {
				return nil, c.Explain(err, "reading the site's facts")
			}
			defer rows.Close()
			var all [][]string
			for rows.Next() {
				var row []string
				for _, v := range rows.RawValues() {
					row = append(row, string(v))
				}
				all = append(all, row)
			}
			if err := rows.Err(); err != nil {
				return nil, c.Explain(err, "reading the site's facts")
			}
			return all, nil
		},
	}
}
