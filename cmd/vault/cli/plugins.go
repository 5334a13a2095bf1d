package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/lockfile"
)

// Plugins finds the stages that pipelines use. It belongs to one command and is not safe
// for concurrent use.
type Plugins struct {
	app   *App
	ctx   context.Context // of the command, as the methods for pipelines take none
	locks map[string]*lockfile.File
	// refused counts the steps that were not created because a plugin was refused.
	refused int
}

// Plugins returns a Plugins for the pipelines that the command uses.
func (a *App) Plugins(ctx context.Context) *Plugins {
	return &Plugins{app: a, ctx: ctx, locks: map[string]*lockfile.File{}}
}

// Isolate implements the interface of package pipeline.
func (p *Plugins) Isolate(s stage.Stage, how pipeline.Isolation) (stage.Stage, error) {
	return p.app.isolated(s, how)
}

// Find implements the interface of package pipeline.
func (p *Plugins) Find(role stage.Role, use, base string, how pipeline.Isolation) (s stage.Stage, notice string, err error) {
	if strings.Contains(use, "/") {
		s, notice, err = p.at(role, use, base, how)
	} else {
		s, err = p.installed(role, use, base, how)
	}
	if failure.Of(err) == failure.Refused {
		p.refused++
	}
	return s, notice, err
}

// Lock returns the lock file of a directory, which it reads once.
func (p *Plugins) Lock(dir string) (*lockfile.File, error) {
	if f := p.locks[dir]; f != nil {
		return f, nil
	}
	f, err := p.app.Lock(dir)
	if err == nil {
		p.locks[dir] = f
	}
	return f, err
}

// Lock reads the lock file of a directory.
func (a *App) Lock(dir string) (*lockfile.File, error) {
	f, err := lockfile.Load(dir)
	if err == nil {
		f.BuiltIn = a.Stages
	}
	return f, err
}

// Ask requests the description of an installed plugin. It returns an error if the plugin
// differs from the pinned one.
func (p *Plugins) Ask(plugin *lockfile.Plugin, how pipeline.Isolation) (*host.Description, error) {
	program, err := plugin.Program()
	if err != nil {
		return nil, err
	}
	d, err := p.Describe(program, how)
	if err != nil {
		return nil, err
	}
	if err := plugin.Accept(d); err != nil {
		return nil, err
	}
	return d, nil
}

// installed finds a stage of the plugins that are pinned in a directory.
func (p *Plugins) installed(role stage.Role, name, dir string, how pipeline.Isolation) (stage.Stage, error) {
	lock, err := p.Lock(dir)
	if err != nil {
		return stage.Stage{}, err
	}
	plugin, ok := lock.Find(role, name)
	if !ok {
		for _, other := range []stage.Role{stage.RoleSource, stage.RoleTransform, stage.RoleSink, stage.RoleAction} {
			if plugin, ok := lock.Find(other, name); ok {
				return stage.Stage{}, fmt.Errorf("%s of plugin %s is not a %s; write it under %s", name, plugin.Name, role, other)
			}
		}
		there := &pipeline.NoPlugin{}
		for _, plugin := range lock.Plugins {
			there.Installed = append(there.Installed, plugin.Standing(role)...)
		}
		return stage.Stage{}, there
	}
	d, err := p.Ask(plugin, how)
	if err != nil {
		return stage.Stage{}, err
	}
	if s, ok := standing(d.Stages, role, name); ok {
		return s, nil
	}
	return stage.Stage{}, fmt.Errorf("plugin %s has no stage %s of role %s, but %s lists one; install it again", plugin.Name, name, role, lockfile.Name)
}

// at finds a stage of the plugin at a path, which may end in ":STAGE".
func (p *Plugins) at(role stage.Role, use, base string, how pipeline.Isolation) (s stage.Stage, notice string, err error) {
	program, name, err := p.Program(use, base)
	if err != nil {
		return s, "", err
	}
	d, err := p.Describe(program, how)
	if err != nil {
		return s, "", err
	}
	var fit, all []string
	for _, st := range d.Stages {
		all = append(all, fmt.Sprintf("%s (%s)", st.Name, st.Role))
		if st.CanStand(role) && (name == "" || st.Name == name) {
			s = st
			fit = append(fit, st.Name)
		}
	}
	switch {
	case len(fit) == 0 && name != "":
		return s, "", fmt.Errorf("plugin %s has no stage %s of role %s; it has %s", program.Name, name, role, strings.Join(all, ", "))
	case len(fit) == 0:
		return s, "", fmt.Errorf("plugin %s has no stage of role %s; it has %s", program.Name, role, strings.Join(all, ", "))
	case len(fit) > 1:
		return s, "", fmt.Errorf("plugin %s has several stages of role %s; write use: %s:%s, or another of %s", program.Name, role, use, fit[0], strings.Join(fit, ", "))
	}
	return s, fmt.Sprintf("plugin %s runs unpinned from its path, which is for development: vault plugin install pins it", program.Name), nil
}

// Program returns the program of the plugin at a path, and the name of the stage if the
// path ends in one.
func (p *Plugins) Program(use, base string) (program host.Program, name string, err error) {
	path := use
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	info, err := os.Stat(path)
	if i := strings.LastIndexByte(path, ':'); errors.Is(err, fs.ErrNotExist) && i > strings.LastIndexByte(path, '/') {
		path, name = path[:i], path[i+1:]
		info, err = os.Stat(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return program, "", fmt.Errorf("%s: %w", path, pipeline.ErrNoPlugin)
	case err != nil:
		return program, "", failure.Wrap(failure.Usage, err)
	case !info.Mode().IsRegular():
		return program, "", failure.New(failure.Usage, "%s is not a program: not a regular file", path)
	case info.Mode()&0o111 == 0:
		return program, "", failure.New(failure.Usage, "plugin %s can't be executed; run chmod 0755 on it", path)
	}
	if err := lockfile.Trusted(path); err != nil {
		return program, "", failure.New(failure.Refused, "plugin %s is refused: %w", filepath.Base(path), err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return program, "", err
	}
	return host.Program{Name: filepath.Base(path), Path: path}, name, nil
}

// Describe requests the description of a program. Its stages run in processes as how
// specifies.
func (p *Plugins) Describe(program host.Program, how pipeline.Isolation) (*host.Description, error) {
	h, err := p.app.Hosted()
	if err != nil {
		return nil, err
	}
	program.Group, program.Env, program.Stall = how.Step, how.Env, how.Stall
	return h.Describe(p.ctx, program)
}

// standing finds a stage by name that can be used in a role.
func standing(stages []stage.Stage, role stage.Role, name string) (stage.Stage, bool) {
	for _, s := range stages {
		if s.Name == name && s.CanStand(role) {
			return s, true
		}
	}
	return stage.Stage{}, false
}
