package scaffold

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// Project describes the project to create.
type Project struct {
	Role    stage.Role
	Name    string          // name of the plugin, its stage and its program: a-z 0-9 -
	Lang    string          // go or python
	Kind    string          // for a transform: rows or bytes
	Dir     string          // the directory to create
	SDK     string          // a checkout of Vault's source code to build with; "" for the published version
	Version string          // version of the running vault, such as v1.2.3
	Vault   string          // the program for tests if vault is not in PATH; "" for none
	BuiltIn *stage.Registry // stages whose names are taken; may be nil
}

const target = "a target of make"

var (
	goodName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	// reserved are names with another meaning in a project.
	reserved = map[string]string{
		"all": target, "build": target, "clean": target, "test": target, "try": target,
		"try-objects": "the directory that try.yaml creates",
	}
	released = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[a-z]+(\.\d+)?)?$`)
)

// Released reports whether go can download the version. It can't for a build from source.
func (p Project) Released() bool { return released.MatchString(p.Version) }

func (p Project) check() error {
	_, err := os.Lstat(p.Dir)
	switch {
	case !goodName.MatchString(p.Name):
		return failure.New(failure.Usage, "name %q must consist of at most 40 characters a-z, 0-9 and -, and begin with a letter", p.Name)
	case reserved[p.Name] != "":
		return failure.New(failure.Usage, "name %s is reserved in the project (%s); choose another name", p.Name, reserved[p.Name])
	case p.taken() != "":
		return failure.New(failure.Usage, "name %s is that of the built-in %s; choose another name", p.Name, p.taken())
	case p.Lang != "go" && p.Lang != "python":
		return failure.New(failure.Usage, "no template for the language %q; use go or python", p.Lang)
	case p.Lang == "python" && p.Role != stage.RoleStorage:
		return failure.New(failure.Usage, "the Python template supports only storages; use --lang go for a %s", p.Role)
	case p.Lang == "python" && p.SDK != "":
		return failure.New(failure.Usage, "a Python project does not use a checkout of Vault's source code")
	case p.Role == stage.RoleTransform && p.Kind != "rows" && p.Kind != "bytes":
		return failure.New(failure.Usage, "the kind of a transform is rows or bytes, not %q", p.Kind)
	case err == nil:
		return failure.New(failure.Refused, "%s already exists, nothing was changed; use --dir to choose another directory", p.Dir)
	case !errors.Is(err, fs.ErrNotExist):
		return failure.Wrap(failure.Refused, err)
	}
	return nil
}

// taken returns the built-in stage with the same name, or "" if there is none.
func (p Project) taken() string {
	for _, role := range []stage.Role{stage.RoleSource, stage.RoleTransform, stage.RoleSink, stage.RoleAction} {
		if p.BuiltIn == nil || !(&stage.Stage{Info: stage.Info{Role: p.Role}}).CanStand(role) {
			continue
		}
		if s, ok := p.BuiltIn.Find(role, p.Name); ok {
			return string(s.Role) + " " + s.Name
		}
	}
	return ""
}

// Create creates the project's directory completely or not at all.
func Create(p Project) (err error) {
	if err := p.check(); err != nil {
		return err
	}
	files, err := p.files()
	if err != nil {
		return err
	}
	parent := filepath.Dir(p.Dir)
	temp, err := os.MkdirTemp(parent, "."+p.Name+"-")
	if err != nil {
		return failure.Wrap(failure.Refused, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	for name, text := range files {
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(filepath.Join(temp, name), []byte(text), mode); err != nil {
			return err
		}
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	return os.Rename(temp, p.Dir)
}
