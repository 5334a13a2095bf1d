package main

import (
	"bufio"
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/lmsvault/vault/"

// The core imports neither stages nor dialects, stages do not import each other, dialects
// import no stages, and the packages for plugins import none of these.
func TestDependenciesPointOneWay(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	stages := []string{"sources/", "sinks/", "transforms/", "storages/"}
	forbidden := map[string][]string{
		"core/": append([]string{"dialects/", "filetree", "cmd/", "plugins/", "pipelines", "builtin"}, stages...),
		// The engine knows stages only by their contract; core/engine composes them.
		"core/run":  {"core/repository", "core/pipeline", "core/config", "core/engine", "builtin"},
		"builtin":   {"cmd/", "plugins/"},
		"dialects/": append([]string{"cmd/", "plugins/"}, stages...),
		"filetree":  append([]string{"dialects/", "cmd/", "plugins/"}, stages...),

		"plugins/protocol": append([]string{"cmd/", "dialects/", "plugins/host", "plugins/sdk"}, stages...),
		"plugins/sdk":      append([]string{"cmd/", "dialects/", "plugins/host"}, stages...),
		"plugins/host":     append([]string{"cmd/", "dialects/", "plugins/sdk"}, stages...),
		"plugins/lockfile": append([]string{"cmd/", "dialects/", "plugins/sdk"}, stages...),
		"plugins/examples": append([]string{"cmd/", "dialects/", "plugins/host", "core/run", "core/engine", "core/repository"}, stages...),
	}
	for _, s := range stages {
		forbidden[s] = append([]string{"cmd/", "plugins/"}, stages...)
	}
	packages := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); packages++ {
		words := strings.Fields(lines.Text())
		name := strings.TrimPrefix(words[0], module)
		for layer, others := range forbidden {
			if !strings.HasPrefix(name, layer) || strings.HasPrefix(name, "plugins/examples/internal") { // imported by tests only
				continue
			}
			for _, imported := range words[1:] {
				for _, other := range others {
					if strings.HasPrefix(imported, module+other) {
						t.Errorf("%s imports %s", name, strings.TrimPrefix(imported, module))
					}
				}
			}
		}
	}
	if packages < 30 {
		t.Fatalf("only %d packages were checked", packages)
	}
}
