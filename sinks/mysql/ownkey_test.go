package mysql

import (
	"slices"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/internal/servers"
)

// Vault prevents the server from adding a primary key to tables without one: such a
// table is restored unchanged, and proven.
func TestTablesWithoutKeyStayWithoutKey(t *testing.T) {
	t.Parallel()
	from, to := servers.MySQL(t), servers.MySQL(t)
	exec(t, from, "CREATE TABLE mdl_bare (a int, b text)", "INSERT INTO mdl_bare VALUES (1, 'x'), (1, 'x'), (NULL, NULL)")
	c := carry(t, from, Config{DSN: config.NewSecret(to.DSN + "?sql_generate_invisible_primary_key=ON"), Prefix: "mdl_"})
	if names := c.proved[0].Schema.ColumnNames(); !slices.Equal(names, []string{"a", "b"}) || len(c.proved[0].Schema.PrimaryKey) > 0 || c.proved[0].Sum.Rows != 3 {
		t.Errorf("columns %q, key %q, %d rows", names, c.proved[0].Schema.PrimaryKey, c.proved[0].Sum.Rows)
	}
	if a, b := one(t, from, "SHOW CREATE TABLE mdl_bare"), one(t, to, "SHOW CREATE TABLE mdl_bare"); a != b {
		t.Errorf("structure\n%s\nwant\n%s", b, a)
	}
}
