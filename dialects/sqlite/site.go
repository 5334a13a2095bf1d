package sqlite

import (
	"context"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
)

// Site reads which Moodle site the tables belong to.
func (s *Structure) Site(ctx context.Context, c *Conn) (moodle.Site, error) {
	return moodle.FindSite(ctx, func(name string) (schema.Table, string, bool) {
		for _, t := range s.Tables {
			if t.Name == name {
				return t.Table, Quote(t.FullName), true
			}
		}
		return schema.Table{}, "", false
	}, func(ctx context.Context, query string) (string, error) {
		found, err := c.Query(ctx, query)
		if err != nil || len(found) == 0 {
			return "", err
		}
		return textOf(found[0][0]), nil
	})
}
