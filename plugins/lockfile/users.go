package lockfile

import (
	"errors"
	"io"
	"os"
	"path"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/stage"
)

// Users returns the pipeline files next to the lock file that use a stage of the plugin.
func (f *File) Users(p *Plugin) (users []string, err error) {
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		ext := path.Ext(e.Name())
		if !e.Type().IsRegular() || e.Name() == Name || ext != ".yaml" && ext != ".yml" {
			continue
		}
		uses, err := p.usedIn(root, e.Name())
		if err != nil {
			return nil, err
		}
		if uses {
			users = append(users, e.Name())
		}
	}
	return users, nil
}

func (p *Plugin) usedIn(root *os.Root, name string) (_ bool, err error) {
	file, err := root.Open(name)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return false, err
	}
	type step struct {
		Use string `yaml:"use"`
	}
	var steps struct {
		Source    []step `yaml:"source"`
		Transform []step `yaml:"transform"`
		Sink      []step `yaml:"sink"`
		Before    []step `yaml:"before"`
		After     []step `yaml:"after"`
	}
	if yaml.Unmarshal(text, &steps) != nil {
		return false, nil // not a pipeline
	}
	for role, list := range map[stage.Role][]step{stage.RoleSource: steps.Source, stage.RoleTransform: steps.Transform, stage.RoleSink: steps.Sink, stage.RoleAction: append(steps.Before, steps.After...)} {
		for _, s := range list {
			if slices.ContainsFunc(p.Stages, func(of Stage) bool { return of.Name == s.Use && slices.Contains(of.places(), role) }) {
				return true, nil
			}
		}
	}
	return false, nil
}
