package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// vault is the module with the SDK.
const vault = "github.com/lmsvault/vault"

// needed are the modules required by the SDK and the conformance kit. A project built with
// a checkout lists them with the checkout's versions, so it builds without network access.
// In other projects go mod tidy adds them.
var needed = [...]string{
	"github.com/fatih/color", "github.com/golang/protobuf", "github.com/hashicorp/go-hclog", "github.com/hashicorp/go-plugin",
	"github.com/hashicorp/yamux", "github.com/klauspost/cpuid/v2", "github.com/mattn/go-colorable", "github.com/mattn/go-isatty",
	"github.com/oklog/run", "github.com/zeebo/xxh3", "go.yaml.in/yaml/v3", "golang.org/x/mod", "golang.org/x/net", "golang.org/x/sys", "golang.org/x/text",
	"google.golang.org/genproto/googleapis/rpc", "google.golang.org/grpc", "google.golang.org/protobuf",
}

// module has the values for the templates.
type module struct {
	Project
	Module   string
	Go       string // Go version
	Requires string // version of Vault
	Replace  string // path of the checkout
	Needs    []string
	sums     string // content of go.sum
}

func (p Project) module() (module, error) {
	m := module{Project: p, Module: vault, Requires: "v0.0.0", Go: strings.TrimPrefix(runtime.Version(), "go")}
	m.Go, _, _ = strings.Cut(m.Go, " ")
	if p.Released() {
		m.Requires = p.Version
	}
	if p.SDK == "" {
		return m, nil
	}
	m.Requires = "v0.0.0"
	var err error
	if m.Replace, err = filepath.Abs(p.SDK); err != nil {
		return m, failure.Wrap(failure.Usage, err)
	}
	text, err := os.ReadFile(filepath.Join(m.Replace, "go.mod"))
	if err != nil {
		return m, failure.New(failure.Usage, "--sdk must be a checkout of Vault's source code: %w", err)
	}
	sums, err := os.ReadFile(filepath.Join(m.Replace, "go.sum"))
	if err != nil {
		return m, failure.New(failure.Usage, "--sdk must be a checkout of Vault's source code: %w", err)
	}
	m.sums = string(sums)
	versions := map[string]string{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(words) >= 2 {
			versions[words[0]] = words[1]
		}
	}
	if versions["module"] != vault {
		return m, failure.New(failure.Usage, "%s has the module %q, not %s; --sdk must be a checkout of Vault's source code", m.Replace, versions["module"], vault)
	}
	m.Go = versions["go"]
	for _, path := range needed {
		if v, ok := versions[path]; ok {
			m.Needs = append(m.Needs, path+" "+v)
		}
	}
	if strings.ContainsAny(m.Replace, " \t\"'`") {
		m.Replace = fmt.Sprintf("%q", m.Replace)
	}
	return m, nil
}

// What describes the stage.
func (p Project) What() string {
	if p.Role == stage.RoleTransform {
		return "a transform of " + p.Kind
	}
	return "a " + string(p.Role)
}

// Where returns the section of a pipeline that uses the stage.
func (p Project) Where() string {
	if p.Role == stage.RoleStorage {
		return string(stage.RoleSink)
	}
	return string(p.Role)
}

// Files returns lines for the README about the files that only this role has.
func (p Project) Files() string {
	return map[stage.Role]string{
		stage.RoleStorage: "|  what it does | what it does |\n| `room.go` | how much room there is; optional |\n",
		stage.RoleSource:  "| `source.go` | what it does |\n",
		stage.RoleSink:    "| `sink.go` | what it does |\n| `unit.go` | what it does for a unit of work |\n",
	}[p.Role]
}
