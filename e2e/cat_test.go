package e2e

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/lmsvault/vault/internal/servers"
)

// The statement in the help of vault cat loads its output, including binary columns,
// NULL and escaped characters.
func TestCatOutputLoadsAsDocumented(t *testing.T) {
	help := must(t, nil, "cat", "--help").stdout
	begin, end := strings.Index(help, "LOAD DATA LOCAL"), strings.Index(help, ";\n")
	if begin < 0 || end < begin {
		t.Fatalf("no statement in\n%s", help)
	}
	for name, db := range map[string]servers.Database{"MariaDB": servers.MariaDB(t), "MySQL": servers.MySQL(t)} {
		t.Run(name, func(t *testing.T) {
			for _, statement := range []string{
				"CREATE TABLE mdl_x (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(50), content LONGBLOB)",
				`INSERT INTO mdl_x VALUES (1, 'a\tb\n\\ "c"', UNHEX('00010A09FF5C7800')), (2, '', ''), (3, NULL, NULL), (4, '😀', 'plain')`,
				"CREATE TABLE copy LIKE mdl_x",
			} {
				if _, err := db.SQL.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			repo := filepath.Join(t.TempDir(), "repo")
			must(t, []string{"DSN=" + db.DSN}, "run", pipelineFile(t, "version: 1\nsource: [{use: mysql, with: {dsn: \"${env:DSN}\"}}]\nsink: [{use: local, with: {dir: "+repo+", create: true}}]\n"))
			rows := must(t, nil, "cat", repo, "latest", "db/x").stdout
			mysql.RegisterReaderHandler(name, func() io.Reader { return strings.NewReader(rows) })
			defer mysql.DeregisterReaderHandler(name)
			load := strings.NewReplacer("'FILE'", "'Reader::"+name+"'", "TABLE mdl_x", "TABLE copy").Replace(help[begin:end])
			if _, err := db.SQL.ExecContext(t.Context(), load); err != nil {
				t.Fatalf("%s: %v", load, err)
			}
			var there, same int
			if err := db.SQL.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM copy), COUNT(*) FROM mdl_x a JOIN copy b"+
				" ON a.id = b.id AND BINARY a.name <=> BINARY b.name AND a.content <=> b.content").Scan(&there, &same); err != nil {
				t.Fatal(err)
			}
			if got, want := fmt.Sprint(there, same), "4 4"; got != want {
				t.Errorf("%s rows are equal, want %s:\n%s", got, want, rows)
			}
		})
	}
}
