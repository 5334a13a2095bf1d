package sqlite

import (
	"context"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
)

// Site reads which Moodle site the tables belong to.
func (s *Structure) Site(ctx context.Context, c *Conn) (moodle.Site, error) {
	return s.site(c).Site(ctx)
}

// Facts adds which Moodle site the tables belong to, and its versions, to facts. where
// returns a condition for the rows of a table, "" for all.
func (s *Structure) Facts(ctx context.Context, c *Conn, where func(table string) string, facts map[string]string) error {
	tables := s.site(c)
	tables.Where = where
	return tables.Facts(ctx, facts)
}

func (s *Structure) site(c *Conn) moodle.Tables {
	return moodle.Tables{
		Table: func(name string) (schema.Table, string, bool) {
			for _, t := range s.Tables {
				if t.Name == name {
					return t.Table, Quote(t.FullName), true
				}
			}
			return schema.Table{}, "", false
		},
		Query: func(ctx context.Context, query string) ([][]string, error) {
			found, err := c.Query(ctx, query)
			rows := make([][]string, len(found))
			for i, values := range found {
				for _, v := range values {
					rows[i] = append(rows[i], textOf(v))
				}
			}
			return rows, err
		},
	}
}
