package sdk

import (
	"os/exec"
	"strings"
	"testing"
)

// Plugins inherit the dependencies of the SDK, with their size and bugs: no database
// drivers, no cloud SDKs, nothing of the command line.
func TestImportsAreFew(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const vault = "github.com/lmsvault/vault/"
	forbidden := []string{
		"database/sql", "github.com/go-sql-driver", "github.com/jackc", "modernc.org", "gocloud.dev", "cloud.google.com", "github.com/aws", "github.com/Azure",
		"github.com/spf13", "github.com/pkg/sftp", "filippo.io/age",
		vault + "cmd", vault + "sources", vault + "sinks", vault + "storages", vault + "transforms", vault + "dialects", vault + "filetree",
		vault + "core/run", vault + "core/repository", vault + "core/pipeline", vault + "plugins/host", vault + "plugins/conformance",
	}
	packages := strings.Fields(string(out))
	if len(packages) < 20 {
		t.Fatalf("found only %d packages", len(packages))
	}
	for _, p := range packages {
		for _, f := range forbidden {
			if p == f || strings.HasPrefix(p, f+"/") {
				t.Errorf("the SDK imports %s", p)
			}
		}
	}
}
