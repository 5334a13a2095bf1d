package postgres

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/schema"
)

// Build is the DDL of a table, by stage of the restore.
type Build struct {
	Table    schema.Table
	Create   []string     // before the rows, in order
	Indexes  []IndexBuild // after the rows; may run in parallel, also with those of other tables
	Complete []string     // after the indexes, in order
}

// IndexBuild is the DDL of one index.
type IndexBuild struct {
	Name string // in Build's Table; "" for the primary key
	SQL  string
	Then []string // run before Build's Complete if the index was built
}

// Builder writes the DDL of a site's tables. It is used by one goroutine.
type Builder struct {
	Names *Names
	// Origin is the dialect and Prefix the prefix of the original tables. Tables from
	// "postgres" keep the names of indexes and types; indexes of other engines get
	// Moodle's names.
	Origin, Prefix string
	// Beside gives all objects other names, for a Site that is beside another one.
	Beside *Beside

	keyNames   map[string]string   // of primary keys, by table
	indexNames map[string][]string // index names by table, in the order of its indexes

	types   map[string]string // names of enumeration types, by their original names
	origins map[string]string // original names of enumeration types, by their new names
	enums   []string
}

// Types returns the statements that must run before the tables are created.
func (b *Builder) Types() []string { return b.enums }

// Name chooses names for everything that belongs to the tables. It takes all tables
// at once, because names are unique in a schema, and must be called before Table.
func (b *Builder) Name(tables []schema.Table) {
	b.keyNames, b.indexNames = map[string]string{}, map[string][]string{}
	for _, t := range tables {
		b.Names.Reserve(b.Names.site.Prefix + t.Name)
	}
	for i := range tables {
		t := &tables[i]
		if len(t.PrimaryKey) > 0 {
			b.keyNames[t.Name] = b.Names.PrimaryKey(t, b.Prefix)
		}
	}
	for i := range tables {
		b.indexNames[tables[i].Name] = b.Names.Indexes(&tables[i], b.Origin, b.Prefix)
	}
	for _, t := range tables {
		for _, c := range t.Columns {
			b.enum(c)
		}
	}
}

// Table writes the DDL of a table, without what Losses lists. The table's Dialect
// must be "postgres", and it must have been passed to Name. It returns an error for a
// table that has Refusals.
func (b *Builder) Table(t schema.Table) (Build, error) {
	if err := errors.Join(Refusals(&t)...); err != nil {
		return Build{}, err
	}
	site := b.Names.site
	table := site.Object(b.tableName(t.Name))
	out := Build{Table: t}
	var sequence string
	if t.Sequence != nil {
		sequence = site.Object(b.Beside.name('S', b.Names.Sequence(t.Name, t.Sequence.Column)))
		out.Create = append(out.Create, "CREATE SEQUENCE "+sequence)
	}
	var create strings.Builder
	fmt.Fprintf(&create, "CREATE TABLE %s (", table)
	for i, c := range t.Columns {
		if i > 0 {
			create.WriteByte(',')
		}
		create.WriteString("\n  " + b.column(t, c, sequence))
	}
	create.WriteString("\n)")
	if t.Options != "" {
		create.WriteString(" " + t.Options)
	}
	out.Create = append(out.Create, create.String())
	if sequence != "" {
		out.Create = append(out.Create, fmt.Sprintf("ALTER SEQUENCE %s OWNED BY %s.%s", sequence, table, Ident(t.Sequence.Column)))
		out.Complete = append(out.Complete, setval(sequence, table, *t.Sequence))
	}
	if t.Comment != "" {
		out.Create = append(out.Create, fmt.Sprintf("COMMENT ON TABLE %s IS %s", table, Literal(t.Comment)))
	}
	for _, c := range t.Columns {
		if c.Comment != "" {
			out.Create = append(out.Create, fmt.Sprintf("COMMENT ON COLUMN %s.%s IS %s", table, Ident(c.Name), Literal(c.Comment)))
		}
	}
	if len(t.PrimaryKey) > 0 {
		// Building it as an index does not lock out the table's other indexes.
		name := b.Beside.name('i', b.keyNames[t.Name])
		build := IndexBuild{SQL: fmt.Sprintf("CREATE UNIQUE INDEX %s ON %s (%s)", Ident(name), table, Idents(t.PrimaryKey))}
		key := t.PrimaryKeyIndex
		if key == nil {
			key = &schema.KeyIndex{}
		}
		if len(key.Include) > 0 {
			build.SQL += " INCLUDE (" + Idents(key.Include) + ")"
		}
		if key.Options != "" {
			build.SQL += " " + key.Options
		}
		build.Then = constraint("PRIMARY KEY", key.Timing, name, table)
		if key.Comment != "" {
			build.Then = append(build.Then, fmt.Sprintf("COMMENT ON INDEX %s IS %s", site.Object(name), Literal(key.Comment)))
		}
		out.Indexes = append(out.Indexes, build)
	}
	for i, x := range t.Indexes {
		if refuseIndex(&t, &x) != nil {
			continue // Losses lists it
		}
		name := b.Beside.name('i', b.indexNames[t.Name][i])
		x.Native = retype(x.Native, b.types)
		build := IndexBuild{Name: x.Name, SQL: createIndex(x, name, table)}
		if kind, timing, _ := strings.Cut(x.Constraint, " "); kind != "" {
			build.Then = constraint(kind, timing, name, table)
		}
		if x.Comment != "" {
			build.Then = append(build.Then, fmt.Sprintf("COMMENT ON INDEX %s IS %s", site.Object(name), Literal(x.Comment)))
		}
		out.Indexes = append(out.Indexes, build)
	}
	out.Complete = append(out.Complete, "ANALYZE "+table)
	return out, nil
}

// constraint returns the statement that turns an index into a constraint of the same
// name.
func constraint(kind, timing, name, table string) []string {
	return []string{strings.TrimSpace(fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %[2]s %[4]s", table, Ident(name), kind, timing))}
}

func (b *Builder) column(t schema.Table, c schema.Column, sequence string) string {
	native := c.Native
	if name, ok := b.types[c.Native]; ok && c.Type.Kind == schema.Enum {
		native = name
	}
	s := Ident(c.Name) + " " + native
	if c.Collation != "" {
		s += " COLLATE " + c.Collation
	}
	switch {
	case t.Sequence != nil && t.Sequence.Column == c.Name:
		s += " DEFAULT nextval(" + Literal(sequence) + "::regclass)"
	case refuseDefault(c.Default) != nil: // Losses lists it
	case c.Default != nil:
		s += " DEFAULT " + retype(defaultSQL(*c.Default, c.Type), b.types)
	}
	if !c.Nullable {
		s += b.Beside.notNull(b.Names.site.Prefix+t.Name, c.Name) + " NOT NULL"
	}
	return s
}

// enum creates the type of an enumeration at its first use. Its name has the site's
// prefix, by which a later restore finds and replaces it.
func (b *Builder) enum(c schema.Column) {
	if c.Type.Kind != schema.Enum || b.types[c.Native] != "" {
		return
	}
	now := b.Beside.name('e', b.Names.pick(b.Names.site.Prefix+strings.TrimPrefix(lastName(c.Native), b.Prefix), ""))
	name := b.Names.site.Object(now)
	if b.types == nil {
		b.types, b.origins = map[string]string{}, map[string]string{}
	}
	b.types[c.Native] = name
	b.origins[now], b.origins[Ident(now)] = c.Native, c.Native // quoted only if necessary
	values := make([]string, len(c.Type.Values))
	for i, v := range c.Type.Values {
		values[i] = Literal(v)
	}
	b.enums = append(b.enums, fmt.Sprintf("CREATE TYPE %s AS ENUM (%s)", name, strings.Join(values, ", ")))
}

func createIndex(x schema.Index, name, table string) string {
	create := "CREATE "
	if x.Unique {
		create += "UNIQUE "
	}
	create += "INDEX " + Ident(name) + " ON " + table + " "
	if x.Native != "" {
		return create + x.Native
	}
	if x.Method != "" {
		create += "USING " + methodName(x.Method) + " "
	}
	parts := make([]string, len(x.Columns))
	for i, c := range x.Columns {
		parts[i] = Ident(c.Name)
		if c.TextSearch != "" {
			parts[i] = "to_tsvector(" + Literal(c.TextSearch) + "::regconfig, " + parts[i] + ")"
		}
		if c.Operators != "" {
			parts[i] += " " + Ident(c.Operators)
		}
		if c.Desc {
			parts[i] += " DESC"
		}
	}
	create += "(" + strings.Join(parts, ", ") + ")"
	if x.Options != "" {
		create += " " + x.Options
	}
	return create
}

// setval continues a sequence after the recorded value and the existing rows. A
// sequence that has returned its last value stays exhausted.
func setval(sequence, table string, s schema.Sequence) string {
	const last = math.MaxInt64
	return fmt.Sprintf("SELECT setval(%s::regclass, GREATEST(LEAST(next - 1, %d), 1)::int8, next > 1) FROM (SELECT GREATEST(%s::numeric, coalesce(max(%s), 0)::numeric + 1) AS next FROM %s) t",
		Literal(sequence), last, strconv.FormatUint(s.Next, 10), Ident(s.Column), table)
}
