package scaffold

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/storages/local"
)

// checkout returns the directory of Vault's source code.
func checkout(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// read returns a file of a new project.
func read(t testing.TB, p Project, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The tests in templates run the sources. This test builds each project with nothing but a
// checkout and runs its tests.
func TestGoProjectsBuildAndPassTests(t *testing.T) {
	for _, p := range []Project{
		{Role: stage.RoleStorage, Name: "mystore"},
		{Role: stage.RoleSource, Name: "my-lines"},
		{Role: stage.RoleSink, Name: "list2"},
		{Role: stage.RoleTransform, Kind: "rows", Name: "blank"},
		{Role: stage.RoleTransform, Kind: "bytes", Name: "zlib"},
	} {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			p.Lang, p.SDK = "go", checkout(t)
			p.Dir = filepath.Join(t.TempDir(), p.Name)
			if err := Create(p); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"build", "-o", p.Name, "."}, {"vet", "./..."}, {"test", "-vet=off", "./..."}} {
				cmd := exec.CommandContext(t.Context(), "go", args...)
				cmd.Dir = p.Dir
				cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
				}
			}
			out, err := exec.CommandContext(t.Context(), filepath.Join(p.Dir, p.Name)).Output()
			if err != nil || !strings.HasPrefix(string(out), p.Name+" 0.1.0 is a Vault plugin") {
				t.Errorf("started by hand it prints %q (%v)", out, err)
			}
			if !strings.Contains(read(t, p, "try.yaml"), "use: ./"+p.Name) {
				t.Error("try.yaml does not use the program next to it")
			}
		})
	}
}

func TestPlaceholdersAreReplaced(t *testing.T) {
	for _, p := range []Project{
		{Role: stage.RoleSink, Name: "thing", Lang: "go", SDK: checkout(t)},
		{Role: stage.RoleStorage, Name: "thing", Lang: "python"},
	} {
		p.Dir = filepath.Join(t.TempDir(), "made")
		if err := Create(p); err != nil {
			t.Fatal(err)
		}
		for _, name := range files(t, p.Dir) {
			for _, old := range []string{placeholder, `"directory"`, "<no value>"} {
				if strings.Contains(read(t, p, name), old) {
					t.Errorf("%s: %s still has %s", p.Lang, name, old)
				}
			}
		}
	}
}

func TestReleaseIsDownloaded(t *testing.T) {
	p := Project{Role: stage.RoleStorage, Name: "mystore", Lang: "go", Version: "v1.4.0", Dir: filepath.Join(t.TempDir(), "mystore")}
	if err := Create(p); err != nil {
		t.Fatal(err)
	}
	if mod := read(t, p, "go.mod"); !strings.Contains(mod, "require github.com/lmsvault/vault v1.4.0") || strings.Contains(mod, "replace") {
		t.Errorf("%s", mod)
	}
	if next := Next(p); !strings.Contains(next, "go mod tidy") || strings.Contains(next, "replace") {
		t.Errorf("%s", next)
	}
}

// A build from source has no version that go can download.
func TestBuildFromSourceGivesInstructions(t *testing.T) {
	for _, version := range []string{"(devel)", "unknown", "v0.0.0-20261122063500-c3cb87412345", "v1.4.1-0.20261122063500-c3cb87412345+dirty", "v1.4.0+dirty"} {
		p := Project{Role: stage.RoleStorage, Name: "mystore", Lang: "go", Version: version, Dir: filepath.Join(t.TempDir(), "mystore")}
		if err := Create(p); err != nil {
			t.Fatal(err)
		}
		if mod := read(t, p, "go.mod"); !strings.Contains(mod, "go mod edit -replace") || strings.Contains(mod, version) {
			t.Errorf("%s: %s", version, mod)
		}
		if next := Next(p); !strings.Contains(next, "--sdk DIR") {
			t.Errorf("%s: %s", version, next)
		}
	}
}

func TestMistakesCreateNothing(t *testing.T) {
	there := filepath.Join(t.TempDir(), "there")
	if err := os.Mkdir(there, 0o700); err != nil {
		t.Fatal(err)
	}
	builtIn, err := stage.NewRegistry(local.Stage())
	if err != nil {
		t.Fatal(err)
	}
	right := Project{Role: stage.RoleStorage, Name: "mystore", Lang: "go"}
	for what, c := range map[string]struct {
		change func(p *Project)
		class  failure.Class
		says   string
	}{
		"a name with a slash":    {func(p *Project) { p.Name = "../x" }, failure.Usage, "a-z"},
		"a name in capitals":     {func(p *Project) { p.Name = "MyStore" }, failure.Usage, "a-z"},
		"a make target":          {func(p *Project) { p.Name = "test" }, failure.Usage, "a target of make"},
		"a try.yaml output":      {func(p *Project) { p.Name = "try-objects" }, failure.Usage, "the directory that try.yaml creates"},
		"a built-in stage":       {func(p *Project) { p.Name, p.BuiltIn = "local", builtIn }, failure.Usage, "name local is that of the built-in storage local"},
		"no name":                {func(p *Project) { p.Name = "" }, failure.Usage, "a-z"},
		"a long name":            {func(p *Project) { p.Name = strings.Repeat("a", 41) }, failure.Usage, "40"},
		"an existing directory":  {func(p *Project) { p.Dir = there }, failure.Refused, "already exists"},
		"a missing parent":       {func(p *Project) { p.Dir = filepath.Join(there, "no", "x") }, failure.Refused, "no such file"},
		"another language":       {func(p *Project) { p.Lang = "perl" }, failure.Usage, "go or python"},
		"a source in Python":     {func(p *Project) { p.Lang, p.Role = "python", stage.RoleSource }, failure.Usage, "supports only storages"},
		"another transform kind": {func(p *Project) { p.Role, p.Kind = stage.RoleTransform, "tables" }, failure.Usage, "rows or bytes"},
		"not a checkout":         {func(p *Project) { p.SDK = there }, failure.Usage, "checkout"},
	} {
		t.Run(what, func(t *testing.T) {
			parent := t.TempDir()
			p := right
			p.Dir = filepath.Join(parent, "made")
			c.change(&p)
			err := Create(p)
			if failure.Of(err) != c.class || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want class %d and %q", err, c.class, c.says)
			}
			for _, dir := range []string{parent, there} {
				if left := files(t, dir); len(left) > 0 {
					t.Errorf("%q remain", left)
				}
			}
		})
	}
}

// files returns the names in a directory.
func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}
