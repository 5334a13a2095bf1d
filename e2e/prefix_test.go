package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// If the database holds a Moodle site, a prefix without its underscore, an empty one
// and an unused one are refused, and the error names the site's prefix.
func TestUnknownPrefixIsRefused(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			db := e.make(t)
			for _, name := range []string{"mdl_config", "mdl_config_plugins", "mdl_course", "mdl_user", "mdl_files", "other_log"} {
				if _, err := db.look.SQL.ExecContext(t.Context(), "CREATE TABLE "+name+" (id BIGINT NOT NULL PRIMARY KEY)"); err != nil {
					t.Fatal(err)
				}
			}
			env := []string{"FROM=" + db.env}
			pipeline := func(prefix string) string {
				from := strings.TrimSuffix(fmt.Sprintf(db.stage, "FROM"), "}}") + fmt.Sprintf(", prefix: %q}}", prefix)
				return pipelineFile(t, fmt.Sprintf("version: 1\nsource: [%s]\nsink: [{use: sqlite, with: {path: %s/new.sqlite}}]\n", from, t.TempDir()))
			}
			for _, prefix := range []string{"mdl", "", "moodle_"} {
				if out := vault(t, env, "plan", pipeline(prefix)); out.code != 3 || !strings.Contains(out.stderr, "did you mean prefix: mdl_") {
					t.Errorf("prefix %q: exit %d: %s", prefix, out.code, out.stderr)
				}
			}
			for _, prefix := range []string{"mdl_", "other_"} {
				out := must(t, env, "plan", pipeline(prefix))
				if noted := strings.Contains(out.stdout, "there is one with prefix mdl_"); noted != (prefix == "other_") {
					t.Errorf("prefix %q: %s", prefix, out.stdout)
				}
			}
		})
	}
}
