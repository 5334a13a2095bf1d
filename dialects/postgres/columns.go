package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

type column struct {
	Table     uint32
	Name      string
	NotNull   bool
	Identity  bool
	Generated bool
	Native    string
	TypeName  string
	System    bool
	TypeType  string
	Category  string
	Modifier  int
	Domain    string
	Default   string
	Sequence  string // of an identity column, as text for regclass
	Collation string // if not the type's default
	Values    []string
	Comment   string
}

// Domains are resolved to their base type.
const columnsQuery = `
	WITH RECURSIVE domain (oid, base, modifier) AS (
		SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'
		UNION ALL
		SELECT d.oid, t.typbasetype, t.typtypmod FROM domain d JOIN pg_type t ON t.oid = d.base WHERE t.typtype = 'd'
	)
	SELECT a.attrelid, a.attname::text, a.attnotnull, a.attidentity <> '', a.attgenerated <> '',
		format_type(t.oid, m.modifier), t.typname::text, t.typnamespace = 'pg_catalog'::regnamespace, t.typtype::text,
		t.typcategory::text, m.modifier, CASE WHEN t.oid <> a.atttypid THEN format_type(a.atttypid, NULL) ELSE '' END,
		coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
		CASE WHEN a.attidentity <> '' THEN coalesce(pg_get_serial_sequence(a.attrelid::regclass::text, a.attname), '') ELSE '' END,
		CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN a.attcollation::regcollation::text ELSE '' END,
		CASE WHEN t.typtype = 'e' THEN ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder) END,
		coalesce(col_description(a.attrelid, a.attnum), '')
	FROM pg_attribute a
	LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	LEFT JOIN LATERAL (
		SELECT n.base, n.modifier FROM domain n JOIN pg_type b ON b.oid = n.base WHERE n.oid = a.atttypid AND b.typtype <> 'd'
	) n ON true
	CROSS JOIN LATERAL (SELECT coalesce(n.modifier, a.atttypmod) AS modifier) m
	JOIN pg_type t ON t.oid = coalesce(n.base, a.atttypid)
	WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
	ORDER BY a.attrelid, a.attnum`

// columns reads the columns of all tables.
func (r *reading) columns(ctx context.Context) error {
	found, err := query[column](ctx, r.Conn, columnsQuery, r.oids)
	if err != nil {
		return r.Explain(err, "reading the columns")
	}
	for _, col := range found {
		t := r.byOID[col.Table]
		if t == nil {
			continue
		}
		if col.Generated {
			r.lose(stage.LossColumn, t.Name, "column "+col.Name, "a generated column is not transferred")
			continue
		}
		if err := refuseNative(col.Native); err != nil {
			r.lose(stage.LossColumn, t.Name, "column "+col.Name, fmt.Sprintf("unknown type %.100q: %v", col.Native, err))
			continue
		}
		info := typeInfo{col.TypeName, col.System, col.TypeType, col.Category, col.Modifier, col.Values}
		c := schema.Column{
			Name: col.Name, Type: info.logical(), Native: col.Native, Nullable: !col.NotNull, Collation: col.Collation, Comment: col.Comment,
		}
		if col.Domain != "" {
			r.lose(stage.LossConstraint, t.Name, "column "+col.Name, fmt.Sprintf("domain %s becomes its base type %s, without the domain's checks", col.Domain, col.Native))
		}
		sequence, ok := sequenceOf(col.Default)
		switch {
		case col.Identity && col.Sequence != "":
			sequence, ok = col.Sequence, true
			r.note(t.Name, "identity column %s becomes a column with a sequence and a default", col.Name)
		case !ok && strings.Contains(col.Default, "nextval("):
			r.lose(stage.LossDefault, t.Name, "column "+col.Name, "the default is more than the next value of a sequence: "+col.Default)
		case !ok:
			c.Default = defaultOf(col.Default, c.Type)
			if err := refuseDefault(c.Default); err != nil {
				r.lose(stage.LossDefault, t.Name, "column "+col.Name, fmt.Sprintf("its default %.200q is not supported: %v", col.Default, err))
				c.Default = nil
			}
		}
		if ok {
			r.generators = append(r.generators, generator{table: t, column: col.Name, sequence: sequence, expr: col.Default})
		}
		t.Columns = append(t.Columns, c)
	}
	return nil
}
