package mysql

import (
	"context"
	"database/sql"
	"errors"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/schema"
)

// Site reads which Moodle site the tables belong to.
func (st *Structure) Site(ctx context.Context, q Queryer) (moodle.Site, error) {
	return moodle.FindSite(ctx, func(name string) (schema.Table, string, bool) {
		for _, t := range st.Tables {
			if t.Name == name {
				return t.Table, Ident(t.FullName), true
			}
		}
		return schema.Table{}, "", false
	}, func(ctx context.Context, query string) (string, error) {
		var text sql.NullString
		err := q.QueryRowContext(ctx, query).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return text.String, err
	})
}
