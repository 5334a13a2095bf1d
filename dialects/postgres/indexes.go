package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

type index struct {
	Table   uint32
	Name    string
	Unique  bool
	Primary bool
	Valid   bool
	Method  string
	Special bool     // columns, unique and method don't say all of it
	Columns []string // of the key; "" for an expression
	Desc    []bool
	Native  string // from USING on, where it is special
}

// An index is special if it has expressions, a condition, further columns, an
// operator class or a collation that is not the default one, NULLs in an
// unusual place, or treats NULLs as equal (PostgreSQL 15).
const indexesQuery = `
	SELECT i.indrelid, c.relname::text, i.indisunique, i.indisprimary, i.indisvalid, am.amname::text, s.special, k.names, k.descending,
		CASE WHEN s.special OR am.amname <> 'btree' THEN pg_get_indexdef(i.indexrelid) ELSE '' END
	FROM pg_index i
	JOIN pg_class c ON c.oid = i.indexrelid
	JOIN pg_am am ON am.oid = c.relam
	CROSS JOIN LATERAL (
		SELECT array_agg(coalesce(a.attname::text, '') ORDER BY k.at) AS names,
			array_agg(k.option & 1 = 1 ORDER BY k.at) AS descending,
			bool_or(a.attname IS NULL OR NOT o.opcdefault OR k.option NOT IN (0, 3) OR k.coll NOT IN (0, a.attcollation)) AS special
		FROM unnest(i.indkey::int2[], i.indclass::oid[], i.indoption::int2[], i.indcollation::oid[]) WITH ORDINALITY
			AS k (attribute, class, option, coll, at)
		JOIN pg_opclass o ON o.oid = k.class
		LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attribute AND k.attribute <> 0
		WHERE k.at <= i.indnkeyatts
	) k
	CROSS JOIN LATERAL (
		SELECT k.special OR i.indpred IS NOT NULL OR i.indnatts > i.indnkeyatts
			OR coalesce(to_jsonb(i) ->> 'indnullsnotdistinct' = 'true', false) AS special
	) s
	WHERE i.indrelid = ANY ($1::oid[]) AND NOT i.indisexclusion
	ORDER BY i.indrelid, c.relname COLLATE "C"`

// indexes reads primary keys and indexes of all tables.
func (r *reading) indexes(ctx context.Context) error {
	found, err := query[index](ctx, r.Conn, indexesQuery, r.oids)
	if err != nil {
		return r.Explain(err, "reading the indexes")
	}
	for _, x := range found {
		t := r.byOID[x.Table]
		if t == nil {
			continue
		}
		lost := slices.ContainsFunc(x.Columns, func(name string) bool { return name != "" && t.Column(name) == nil })
		switch {
		case lost:
			r.lose(stage.LossIndex, t.Name, "index "+x.Name, "it is over a column that is not carried")
		case x.Primary:
			t.PrimaryKey = x.Columns
		case !x.Valid:
			r.lose(stage.LossIndex, t.Name, "index "+x.Name, "it is invalid: building it failed once; REINDEX or drop it")
		default:
			t.Indexes = append(t.Indexes, x.neutral())
		}
	}
	return nil
}

// neutral gives the index without the names in its definition that belong to
// this site: Native begins at USING. Columns are told as far as there are any.
func (x index) neutral() schema.Index {
	out := schema.Index{Name: x.Name, Unique: x.Unique}
	for i, name := range x.Columns {
		if name != "" {
			out.Columns = append(out.Columns, schema.IndexColumn{Name: name, Desc: x.Desc[i]})
		}
	}
	if x.Method != "btree" {
		out.Method = x.Method
	}
	if _, clause, ok := strings.Cut(x.Native, " USING "+x.Method+" "); ok {
		out.Native = "USING " + x.Method + " " + clause
	}
	return out
}
