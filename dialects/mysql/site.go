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
	return st.site(q).Site(ctx)
}

// Facts adds which Moodle site the tables belong to, and its versions, to facts. where
// returns a condition for the rows of a table, "" for all.
func (st *Structure) Facts(ctx context.Context, q Queryer, where func(table string) string, facts map[string]string) error {
	tables := st.site(q)
	tables.Where = where
	return tables.Facts(ctx, facts)
}

func (st *Structure) site(q Queryer) moodle.Tables {
	return moodle.Tables{
		Table: func(name string) (schema.Table, string, bool) {
			for _, t := range st.Tables {
				if t.Name == name {
					return t.Table, Ident(t.FullName), true
				}
			}
			return schema.Table{}, "", false
		},
		Query: func(ctx context.Context, query string) ([][]string, error) { return texts(ctx, q, query) },
	}
}

// texts returns the rows of a query as text, "" for NULL.
func texts(ctx context.Context, q Queryer, query string) (all [][]string, err error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = v.String
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
