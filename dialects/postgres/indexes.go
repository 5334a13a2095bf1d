package postgres

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

type index struct {
	Table      uint32
	Name       string
	Unique     bool
	Primary    bool
	Valid      bool
	Method     string
	Special    bool     // the columns do not describe it fully
	Columns    []string // of the key; "" for an expression
	Include    []string // columns of the INCLUDE clause
	Desc       []bool
	Classes    []string // operator classes other than the defaults
	Exprs      []string // "" for a column
	Options    []string // storage parameters
	Comment    string
	Native     string // the whole definition, unless it is an ordinary B-tree over columns
	Constraint string // UNIQUE or PRIMARY KEY, and when it is checked
}

// An index is special if it has a condition, INCLUDE columns, a collation other than
// the column's, an operator class of an extension, NULLs in an unusual place, or
// treats NULLs as equal (PostgreSQL 15).
const indexesQuery = `
	SELECT i.indrelid, c.relname::text, i.indisunique, i.indisprimary, i.indisvalid, am.amname::text, s.special, k.names,
		ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS n (attribute, at) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = n.attribute
			WHERE n.at > i.indnkeyatts ORDER BY n.at),
		k.descending, k.classes, k.expressions, c.reloptions,
		coalesce(obj_description(i.indexrelid, 'pg_class'), ''),
		CASE WHEN s.special OR k.odd OR am.amname <> 'btree' THEN pg_get_indexdef(i.indexrelid) ELSE '' END,
		coalesce(CASE con.contype WHEN 'u' THEN 'UNIQUE' WHEN 'p' THEN 'PRIMARY KEY' END || CASE WHEN con.condeferrable THEN ' DEFERRABLE' ELSE '' END
			|| CASE WHEN con.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END, '')
	FROM pg_index i
	LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid AND con.contype IN ('u', 'p')
	JOIN pg_class c ON c.oid = i.indexrelid
	JOIN pg_am am ON am.oid = c.relam
	CROSS JOIN LATERAL (
		SELECT array_agg(coalesce(a.attname::text, '') ORDER BY k.at) AS names,
			array_agg(k.option & 1 = 1 ORDER BY k.at) AS descending,
			array_agg(CASE WHEN o.opcdefault THEN '' ELSE o.opcname::text END ORDER BY k.at) AS classes,
			array_agg(CASE WHEN k.attribute = 0 THEN pg_get_indexdef(i.indexrelid, k.at::int, false) ELSE '' END ORDER BY k.at) AS expressions,
			bool_or(a.attname IS NULL OR NOT o.opcdefault) AS odd,
			bool_or(k.option NOT IN (0, 3) OR k.coll NOT IN (0, coalesce(a.attcollation, k.coll))
				OR NOT o.opcdefault AND o.opcnamespace <> 'pg_catalog'::regnamespace) AS special
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

// indexes reads the primary keys and indexes of all tables.
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
		missing := func(name string) bool { return name != "" && t.Column(name) == nil }
		switch {
		case slices.ContainsFunc(x.Columns, missing), !x.Primary && slices.ContainsFunc(x.Include, missing):
			r.lose(stage.LossIndex, t.Name, "index "+x.Name, "it is on a column that is not transferred")
		case x.Primary:
			if slices.ContainsFunc(x.Include, missing) {
				r.lose(stage.LossIndex, t.Name, "index "+x.Name, "it includes a column that is not transferred; the primary key itself is")
				x.Include = slices.DeleteFunc(x.Include, missing)
			}
			t.PrimaryKey, t.PrimaryKeyName, t.PrimaryKeyIndex = x.Columns, x.Name, x.key()
			if err := refuseOptions(options(x.Options)); err != nil {
				r.note(t.Name, "the storage parameters of its primary key are not transferred: %.200s", options(x.Options))
				t.PrimaryKeyIndex.Options = ""
			}
		case !x.Valid:
			r.lose(stage.LossIndex, t.Name, "index "+x.Name, "it is invalid because building it failed; REINDEX or drop it")
		default:
			found := x.neutral()
			if err := refuseIndex(&t.Table, &found); err != nil {
				r.lose(stage.LossIndex, t.Name, "index "+x.Name, fmt.Sprintf("its definition %.200q is not supported: %v", x.Native, err))
				continue
			}
			t.Indexes = append(t.Indexes, found)
		}
	}
	return nil
}

// key returns what the index of a primary key has besides its columns.
func (x index) key() *schema.KeyIndex {
	key := schema.KeyIndex{Timing: strings.TrimPrefix(strings.TrimPrefix(x.Constraint, "PRIMARY KEY"), " "), Options: options(x.Options), Comment: x.Comment}
	if len(x.Include) > 0 {
		key.Include = x.Include
	}
	if key.SameAs(nil) && key.Options == "" && key.Comment == "" {
		return nil
	}
	return &key
}

// overWords matches the expression of a text search index on a column.
var overWords = regexp.MustCompile(`^to_tsvector\('(\w+)'::regconfig, (?:(\w+)|"((?:[^"]|"")+)")\)$`)

// neutral returns the index without names that belong to this site in its definition:
// Native begins at USING. It lists columns as far as there are any.
func (x index) neutral() schema.Index {
	out := schema.Index{Name: x.Name, Unique: x.Unique, Constraint: x.Constraint, Comment: x.Comment}
	special := x.Special
	for i, name := range x.Columns {
		c := schema.IndexColumn{Name: name, Desc: x.Desc[i], Operators: x.Classes[i]}
		if m := overWords.FindStringSubmatch(x.Exprs[i]); m != nil {
			c.TextSearch, c.Name = m[1], m[2]+strings.ReplaceAll(m[3], `""`, `"`)
		}
		if c.Name == "" {
			special = true
			continue
		}
		out.Columns = append(out.Columns, c)
	}
	if x.Method != "btree" {
		out.Method = x.Method
	}
	if !special {
		out.Options = options(x.Options)
		return out
	}
	for i := range out.Columns {
		out.Columns[i].Operators, out.Columns[i].TextSearch = "", "" // they are in the definition
	}
	if _, clause, ok := strings.Cut(x.Native, " USING "+x.Method+" "); ok {
		out.Native = "USING " + x.Method + " " + clause
	}
	return out
}
