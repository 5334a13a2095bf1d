package postgres

import (
	"context"
	"fmt"
)

// Object is something with a name in the site's schema.
type Object struct {
	Kind byte   // as in Relation; also i index, I index of a partitioned table, e enumeration
	Name string // full
}

// Objects lists what is dropped when the relations of a listing are replaced: the
// relations, their partitions, indexes and sequences, the marker, and the
// enumerations and sequences with the site's prefix that nothing else uses.
func (c *Conn) Objects(ctx context.Context, l *Listing) ([]Object, error) {
	found, err := query[struct{ Kind, Name string }](ctx, c, `
		WITH RECURSIVE relations (oid) AS (
			SELECT unnest($1::oid[])
			UNION SELECT c.oid FROM pg_class c JOIN space s ON c.relnamespace = s.oid WHERE c.relname = $4
			UNION SELECT i.inhrelid FROM pg_inherits i JOIN relations r ON i.inhparent = r.oid JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relispartition
		), space AS (
			SELECT oid FROM pg_namespace WHERE nspname = $2
		), gone (oid, kind, name) AS (
			SELECT c.oid, c.relkind::text, c.relname::text FROM pg_class c JOIN space s ON c.relnamespace = s.oid WHERE c.oid IN (SELECT oid FROM relations)
			UNION SELECT c.oid, c.relkind::text, c.relname::text FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
				JOIN space s ON c.relnamespace = s.oid WHERE i.indrelid IN (SELECT oid FROM relations)
			UNION SELECT c.oid, c.relkind::text, c.relname::text FROM pg_class c JOIN space s ON c.relnamespace = s.oid
				JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
				WHERE c.relkind = 'S' AND d.refobjid IN (SELECT oid FROM relations)
		), uses (classid, objid, refclassid, refobjid) AS (
			SELECT d.classid, d.objid, d.refclassid, d.refobjid FROM pg_depend d
			WHERE d.deptype IN ('n', 'a') AND NOT EXISTS (SELECT FROM gone g WHERE d.classid = 'pg_class'::regclass AND g.oid = d.objid
				UNION ALL SELECT FROM pg_attrdef a JOIN gone g ON g.oid = a.adrelid WHERE d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
				UNION ALL SELECT FROM pg_rewrite w JOIN gone g ON g.oid = w.ev_class WHERE d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
				UNION ALL SELECT FROM pg_constraint k JOIN gone g ON g.oid = k.conrelid WHERE d.classid = 'pg_constraint'::regclass AND k.oid = d.objid)
		)
		SELECT kind, name FROM gone
		UNION SELECT c.relkind::text, c.relname::text FROM pg_class c JOIN space s ON c.relnamespace = s.oid
			WHERE c.relkind = 'S' AND starts_with(c.relname::text, $3) AND pg_has_role(c.relowner, 'USAGE') AND c.oid = ANY ($5::oid[] || ARRAY(
				SELECT d.refobjid FROM pg_depend d JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
				WHERE d.refclassid = 'pg_class'::regclass AND a.adrelid IN (SELECT oid FROM gone)))
			AND NOT EXISTS (SELECT FROM uses u WHERE u.refclassid = 'pg_class'::regclass AND u.refobjid = c.oid)
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
		UNION SELECT 'e', t.typname::text FROM pg_type t JOIN space s ON t.typnamespace = s.oid
			WHERE t.typtype = 'e' AND starts_with(t.typname::text, $3) AND pg_has_role(t.typowner, 'USAGE')
			AND NOT EXISTS (SELECT FROM uses u WHERE u.refclassid = 'pg_type'::regclass AND u.refobjid IN (t.oid, t.typarray))
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
		ORDER BY 1, 2`, oidArray(l.Replaced()), c.Site.Schema, c.Site.Prefix, c.Site.Prefix+Marker, oidArray(l.sequences()))
	if err != nil {
		return nil, c.Explain(err, "listing the objects of the site's tables")
	}
	objects := make([]Object, 0, len(found))
	for _, f := range found {
		if !IsScratch(f.Name) || IsScratch(c.Site.Prefix) {
			objects = append(objects, Object{f.Kind[0], f.Name})
		}
	}
	return objects, nil
}

// Replaced returns the relations that a restore replaces.
func (l *Listing) Replaced() []Relation {
	all := append([]Relation(nil), l.Tables...)
	for _, r := range l.Others {
		if r.Kind != 'S' {
			all = append(all, r)
		}
	}
	return all
}

func (l *Listing) sequences() (all []Relation) {
	for _, r := range l.Others {
		if r.Kind == 'S' {
			all = append(all, r)
		}
	}
	return all
}

// Rename returns the statement that renames an object of the site's schema. The
// constraint of an index is renamed with it, and references to the object stay valid.
func (s Site) Rename(kind byte, from, to string) string {
	what := map[byte]string{'r': "TABLE", 'p': "TABLE", 'v': "VIEW", 'm': "MATERIALIZED VIEW", 'f': "FOREIGN TABLE", 'S': "SEQUENCE", 'i': "INDEX", 'I': "INDEX", 'e': "TYPE"}[kind]
	return fmt.Sprintf("ALTER %s %s RENAME TO %s", what, s.Object(from), Ident(to))
}

// Locks returns how many locks a transaction can currently get, and the setting that
// limits them.
func (c *Conn) Locks(ctx context.Context) (free, each int, err error) {
	err = c.QueryRow(ctx, `SELECT each * slots - (SELECT count(*) FROM pg_locks WHERE NOT fastpath AND pid <> pg_backend_pid())::int, each
		FROM (SELECT current_setting('max_locks_per_transaction')::int, current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) s (each, slots)`).Scan(&free, &each)
	if err != nil {
		return 0, 0, c.Explain(err, "counting the server's locks")
	}
	return free, each, nil
}
