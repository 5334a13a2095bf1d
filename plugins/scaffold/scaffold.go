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

// Project is what is wanted.
type Project struct {
	Role    stage.Role
	Name    string          // of the plugin, its stage and its program: a-z 0-9 -
	Lang    string          // go or python
	Kind    string          // of a transform: rows or bytes
	Dir     string          // the folder to make
	SDK     string          // a checkout of Vault's sources to build with; "" for the published version
	Version string          // of the running vault, as v1.2.3
	Vault   string          // the program that tests it where PATH has no vault; "" for none
	BuiltIn *stage.Registry // whose stages' names are taken; nil: none is
}

const target = "what make is asked for there, or makes"

var (
	goodName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	// reserved are names that mean something else in a project.
	reserved = map[string]string{
		"all": target, "build": target, "clean": target, "test": target, "try": target,
		"try-objects": "the folder that try.yaml makes",
	}
	released = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[a-z]+(\.\d+)?)?$`)
)

// Released tells whether the version can be fetched by go: not that of a build
// from sources.
func (p Project) Released() bool { return released.MatchString(p.Version) }

func (p Project) check() error {
	_, err := os.Lstat(p.Dir)
	switch {
	case !goodName.MatchString(p.Name):
		return failure.New(failure.Usage, "the name %q must be of a-z, 0-9 and -, begin with a letter, and have at most 40 characters", p.Name)
	case reserved[p.Name] != "":
		return failure.New(failure.Usage, "the program can't be called %s: in its project that is %s; take another name", p.Name, reserved[p.Name])
	case p.taken() != "":
		return failure.New(failure.Usage, "%s is the name of vault's own %s, and a pipeline could not tell them apart: take another name", p.Name, p.taken())
	case p.Lang != "go" && p.Lang != "python":
		return failure.New(failure.Usage, "there is no template in %q: take go or python", p.Lang)
	case p.Lang == "python" && p.Role != stage.RoleStorage:
		return failure.New(failure.Usage, "in Python there is only a template of a storage: the module that serves it knows no other role yet; take --lang go for a %s", p.Role)
	case p.Lang == "python" && p.SDK != "":
		return failure.New(failure.Usage, "a project in Python brings what it needs: it takes no checkout of Vault's sources")
	case p.Role == stage.RoleTransform && p.Kind != "rows" && p.Kind != "bytes":
		return failure.New(failure.Usage, "a transform is of rows or of bytes, not of %q", p.Kind)
	case err == nil:
		return failure.New(failure.Refused, "%s is there already: nothing was changed; name another folder with --dir", p.Dir)
	case !errors.Is(err, fs.ErrNotExist):
		return failure.Wrap(failure.Refused, err)
	}
	return nil
}

// taken is the built-in stage that a pipeline would mean by the name, "" if there is none.
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

// Create makes the project's folder: whole, or not at all.
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
