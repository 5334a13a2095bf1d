package compare

import (
	"database/sql"
	"strings"
	"testing"
)

type mysql struct{}

func (mysql) quote(n string) string { return "`" + strings.ReplaceAll(n, "`", "``") + "`" }

func (mysql) tables() string {
	return "SELECT table_name AS x FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
}

func (mysql) columns(table string) string {
	return "SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = " +
		literal(table) + " ORDER BY ordinal_position"
}

func (mysql) cell(name, typ string) (string, kind) {
	switch {
	case strings.HasPrefix(typ, "float"):
		return "CAST(" + name + " AS DOUBLE)", single
	case strings.HasPrefix(typ, "double"):
		return name, float
	case strings.Contains(typ, "blob"), strings.Contains(typ, "binary"), strings.Contains(typ, "point"):
		return "HEX(" + name + ")", text
	case strings.HasPrefix(typ, "bit"):
		return "BIN(" + name + "+0)", text
	}
	if strings.HasPrefix(typ, "decimal") {
		return "CAST(" + name + " AS CHAR)", decimal
	}
	return "CAST(" + name + " AS CHAR)", text
}

func (mysql) next(t testing.TB, db *sql.DB, table string) int64 {
	var name, ddl string
	if err := db.QueryRowContext(t.Context(), "SHOW CREATE TABLE "+mysql{}.quote(table)).Scan(&name, &ddl); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(ddl, "AUTO_INCREMENT") {
		return 0
	}
	_, after, ok := strings.Cut(ddl, ") ENGINE=InnoDB AUTO_INCREMENT=")
	if !ok {
		return 1
	}
	var n int64
	for _, c := range after {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

func (mysql) unique(t testing.TB, db *sql.DB, table string) []string {
	return firsts(t, db, "SELECT GROUP_CONCAT(column_name ORDER BY seq_in_index) AS x FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = "+
		literal(table)+" AND non_unique = 0 GROUP BY index_name")
}

type postgres struct{}

func (postgres) quote(n string) string { return `"` + strings.ReplaceAll(n, `"`, `""`) + `"` }

func (postgres) tables() string {
	return "SELECT tablename AS x FROM pg_tables WHERE schemaname = current_schema()"
}

func (postgres) columns(table string) string {
	return "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '" + postgres{}.quote(strings.ReplaceAll(table, "'", "''")) +
		"'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
}

func (postgres) cell(name, typ string) (string, kind) {
	switch {
	case typ == "real":
		return name + "::float8", single
	case typ == "double precision":
		return name, float
	case strings.HasPrefix(typ, "numeric"):
		return name + "::text", decimal
	case typ == "bytea":
		return "upper(encode(" + name + ", 'hex'))", text
	case strings.HasPrefix(typ, "bit"):
		return "CASE WHEN " + name + " IS NOT NULL THEN coalesce(nullif(ltrim(" + name + "::text, '0'), ''), '0') END", text
	case strings.HasPrefix(typ, "timestamp"):
		return "to_char(" + name + ", 'YYYY-MM-DD HH24:MI:SS')", text
	}
	return name + "::text", text
}

func (postgres) next(t testing.TB, db *sql.DB, table string) int64 {
	sequences := firsts(t, db, `SELECT format('%I.%I', n.nspname, s.relname) AS x FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
		JOIN pg_depend d ON d.objid = s.oid AND d.refobjsubid > 0 WHERE s.relkind = 'S' AND d.refobjid = '`+postgres{}.quote(strings.ReplaceAll(table, "'", "''"))+`'::regclass`)
	if len(sequences) == 0 {
		return 0
	}
	return number(t, db, "SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM "+sequences[0])
}

func (postgres) unique(t testing.TB, db *sql.DB, table string) []string {
	return firsts(t, db, `SELECT string_agg(a.attname, ',' ORDER BY k.n) AS x FROM pg_index i
		CROSS JOIN LATERAL unnest(i.indkey::int[]) WITH ORDINALITY k(col, n) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.col
		WHERE i.indisunique AND i.indrelid = '`+postgres{}.quote(strings.ReplaceAll(table, "'", "''"))+`'::regclass GROUP BY i.indexrelid`)
}

type sqlite struct{}

func (sqlite) quote(n string) string { return `"` + strings.ReplaceAll(n, `"`, `""`) + `"` }

func (sqlite) tables() string {
	return "SELECT name AS x FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
}

func (sqlite) columns(table string) string {
	return "SELECT name, type FROM pragma_table_info('" + strings.ReplaceAll(table, "'", "''") + "') ORDER BY cid"
}

func (sqlite) cell(name, typ string) (string, kind) {
	switch {
	case strings.Contains(typ, "float"):
		return name, single
	case strings.Contains(typ, "double"), strings.Contains(typ, "real"):
		return name, float
	case strings.Contains(typ, "decimal"), strings.Contains(typ, "numeric"):
		return "CAST(" + name + " AS TEXT)", decimal
	case strings.Contains(typ, "blob"):
		return "CASE WHEN " + name + " IS NULL THEN NULL ELSE HEX(" + name + ") END", text // HEX(NULL) is ''
	}
	return "CAST(" + name + " AS TEXT)", text
}

func (sqlite) next(t testing.TB, db *sql.DB, table string) int64 {
	name := "'" + strings.ReplaceAll(table, "'", "''") + "'"
	if number(t, db, "SELECT COUNT(*) FROM sqlite_master WHERE name = "+name+" AND sql LIKE '%AUTOINCREMENT%'") == 0 {
		return 0
	}
	return number(t, db, "SELECT seq FROM sqlite_sequence WHERE name = "+name) + 1
}

func (sqlite) unique(t testing.TB, db *sql.DB, table string) []string {
	name := "'" + strings.ReplaceAll(table, "'", "''") + "'"
	keys := firsts(t, db, "SELECT (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno)) AS x FROM pragma_index_list("+name+") l WHERE l.\"unique\" = 1")
	// A rowid table's INTEGER PRIMARY KEY has no index of its own.
	if number(t, db, "SELECT COUNT(*) FROM pragma_index_list("+name+") WHERE origin = 'pk'") == 0 {
		keys = append(keys, firsts(t, db, "SELECT group_concat(name, ',') AS x FROM (SELECT name FROM pragma_table_info("+name+") WHERE pk > 0 ORDER BY pk) HAVING COUNT(*) > 0")...)
	}
	return keys
}
