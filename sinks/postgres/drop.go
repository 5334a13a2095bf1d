package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// clear marks the schema and, when replacing, drops the existing site. Both happen in
// one transaction, unless the server cannot hold so many locks: then it sets the
// marker first and drops the tables in batches.
func (s *Sink) clear(ctx context.Context, conn *postgres.Conn) error {
	if s.plan.Replace != stage.ReplaceInPlace {
		return s.mark(ctx, conn)
	}
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return conn.Explain(err, "starting to replace the site")
	}
	err := remark(ctx, conn)
	if err == nil {
		err = drop(ctx, conn, s.plan.Preserve)
	}
	end := "COMMIT"
	if err != nil {
		end = "ROLLBACK" // the server does it if the session is lost
	}
	if _, ended := conn.Exec(ctx, end); ended != nil && err == nil {
		return conn.Explain(ended, "replacing the site")
	}
	s.began = err == nil
	if postgres.Code(err) == outOfMemory {
		if err = s.mark(ctx, conn); err == nil {
			err = drop(ctx, conn, s.plan.Preserve)
		}
	}
	if err != nil {
		return err
	}
	return dropUnused(ctx, conn)
}

func (s *Sink) mark(ctx context.Context, conn *postgres.Conn) error {
	if err := remark(ctx, conn); err != nil {
		return err
	}
	s.began = true
	return nil
}

const outOfMemory = "53200" // includes locks

// drop drops the existing site: views, then tables. It never cascades.
func drop(ctx context.Context, conn *postgres.Conn, preserve []string) error {
	l, err := listReplaced(ctx, conn, preserve)
	if err != nil {
		return err
	}
	if err := dropForeignKeys(ctx, conn, l.Tables); err != nil {
		return err
	}
	for _, of := range []struct {
		kinds, sql string
		from       []postgres.Relation
	}{{"v", "VIEW", l.Others}, {"m", "MATERIALIZED VIEW", l.Others}, {"f", "FOREIGN TABLE", l.Others}, {"rp", "TABLE", l.Tables}} {
		var names []string
		for _, r := range of.from {
			if strings.IndexByte(of.kinds, r.Kind) >= 0 {
				names = append(names, conn.Site.Table(r.Name))
			}
		}
		const batch = 100 // the server's number of locks is limited
		for part := range slices.Chunk(names, batch) {
			if _, err := conn.Exec(ctx, "DROP "+of.sql+" "+strings.Join(part, ", ")); err != nil {
				return conn.Explain(err, "replace: dropping the existing site")
			}
		}
	}
	return nil
}

// dropForeignKeys drops foreign keys, which would restrict the order of dropping
// tables.
func dropForeignKeys(ctx context.Context, conn *postgres.Conn, tables []postgres.Relation) error {
	byOID := map[uint32]string{}
	for _, t := range tables {
		byOID[t.OID] = t.Name
	}
	rows, err := conn.Query(ctx, `SELECT conrelid, confrelid, conname::text FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
		AND connamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)`, conn.Site.Schema)
	if err != nil {
		return conn.Explain(err, "listing foreign keys")
	}
	defer rows.Close()
	var statements []string
	for rows.Next() {
		var table, other uint32
		var name string
		if err := rows.Scan(&table, &other, &name); err != nil {
			return conn.Explain(err, "listing foreign keys")
		}
		if byOID[table] != "" && byOID[other] != "" {
			statements = append(statements, fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", conn.Site.Table(byOID[table]), postgres.Ident(name)))
		}
	}
	if err := rows.Err(); err != nil {
		return conn.Explain(err, "listing foreign keys")
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return conn.Explain(err, "replace: dropping a foreign key")
		}
	}
	return nil
}

// dropUnused drops sequences and enumerations that the dropped tables leave behind.
func dropUnused(ctx context.Context, conn *postgres.Conn) error {
	l, err := conn.List(ctx)
	if err != nil {
		return err
	}
	var statements []string
	for _, r := range l.Others {
		if r.Kind == 'S' {
			statements = append(statements, "DROP SEQUENCE "+conn.Site.Table(r.Name))
		}
	}
	types, err := conn.UnusedEnums(ctx)
	if err != nil {
		return err
	}
	for _, name := range types {
		statements = append(statements, "DROP TYPE "+conn.Site.Object(name))
	}
	const needed = "2BP01" // dependent_objects_still_exist: others use it too
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil && postgres.Code(err) != needed {
			return conn.Explain(err, "replace: %s", sql)
		}
	}
	return nil
}
