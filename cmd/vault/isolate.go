package main

import (
	"context"
	"errors"
	"os"
	"runtime"

	"github.com/lmsvault/vault/core/cgroup"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
)

// self is a path that opens this very program, also after its file was replaced.
func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// hosted returns the host of the command's plugins. It works in the command's
// workspace, and both end with the command.
func (a *app) hosted() (*host.Host, error) {
	if a.host != nil {
		return a.host, nil
	}
	w, err := a.scratch()
	if err != nil {
		return nil, err
	}
	a.host = host.New(host.Config{Log: a.log, Dir: w.dir(), Version: version(), Stall: pipeline.DefaultStall, Ending: a.ending})
	return a.host, nil
}

// scratch returns the command's workspace.
func (a *app) scratch() (*workspace, error) {
	if a.workspace == nil {
		w, err := a.newWorkspace()
		if err != nil {
			return nil, err
		}
		a.workspace = w
	}
	return a.workspace, nil
}

// release ends all processes that were started, and then removes the workspace.
func (a *app) release() error {
	var errs []error
	if a.host != nil {
		errs = append(errs, a.host.Close())
	}
	if a.workspace != nil {
		errs = append(errs, a.workspace.remove())
	}
	a.host, a.workspace = nil, nil
	return errors.Join(errs...)
}

// isolated returns a built-in stage as one that runs in another process of this
// program.
func (a *app) isolated(s stage.Stage, how pipeline.Isolation) (stage.Stage, error) {
	h, err := a.hosted()
	if err != nil {
		return s, err
	}
	path, err := self()
	if err != nil {
		return s, err
	}
	memory := how.Memory
	if text := a.settings.GetString("memory"); text != "" {
		if memory, err = config.ParseSize(text); err != nil {
			return s, failure.New(failure.Usage, "%s: %w", origin("memory"), err)
		}
	}
	p := host.Program{Name: s.Name, Path: path, Args: []string{"plugin", "serve", s.Name, "--memory", memory.String()}, Group: how.Step, Env: how.Env, Stall: how.Stall}
	return h.Isolate(s, p), nil
}

// served tells whether a stage can run in another process: a composite only names others.
func served(s stage.Stage) bool { return s.Expand == nil }

// working returns the stages that commands work with: where the tool's settings
// say so, all of them run isolated.
func (a *app) working() (*stage.Registry, error) {
	if !a.flag("isolate").on {
		return a.stages, nil
	}
	var all []stage.Stage
	for _, s := range a.stages.All() {
		if !served(s) {
			all = append(all, s)
			continue
		}
		s, err := a.isolated(s, pipeline.Isolation{Step: string(s.Role), Stall: pipeline.DefaultStall, Memory: pipeline.DefaultMemory(cgroup.Memory("/"))})
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return stage.NewRegistry(all...)
}

// options are how pipeline files are read.
func (a *app) options(ctx context.Context) (pipeline.Options, error) {
	registry, err := a.working()
	return pipeline.Options{Registry: registry, Plugins: a.plugins(ctx), Isolate: a.flag("isolate").on, MemoryLimit: cgroup.Memory("/")}, err
}

// finder finds stages by name: built-in ones, and those of the plugins that are
// installed beside the pipelines in a folder.
type finder struct {
	*stage.Registry
	plugins *plugins
	base    string
}

// Find returns a stage; one of a plugin that is refused says why when it is made.
func (f finder) Find(role stage.Role, name string) (stage.Stage, bool) {
	if s, ok := f.Registry.Find(role, name); ok {
		return s, true
	}
	s, _, err := f.plugins.Find(role, name, f.base, pipeline.Isolation{Stall: pipeline.DefaultStall})
	switch {
	case errors.Is(err, pipeline.ErrNoPlugin):
		return s, false
	case err != nil:
		s.Config = func() any { return &struct{}{} }
		s.NewBytes = func(context.Context, any, stage.Env) (stage.ByteTransform, error) { return nil, err }
	}
	return s, true
}
