package cli

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

// self returns a path that opens the running program, even if its file was replaced.
func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// Hosted returns the host of the command's plugins, which uses the command's workspace.
// Release closes both.
func (a *App) Hosted() (*host.Host, error) {
	if a.Host != nil {
		return a.Host, nil
	}
	w, err := a.Scratch()
	if err != nil {
		return nil, err
	}
	a.Host = host.New(host.Config{Log: a.Log, Dir: w.Dir(), Version: Version(), Stall: pipeline.DefaultStall, Ending: a.Ending})
	return a.Host, nil
}

// Scratch returns the command's workspace.
func (a *App) Scratch() (*workspace, error) {
	if a.workspace == nil {
		w, err := a.newWorkspace()
		if err != nil {
			return nil, err
		}
		a.workspace = w
	}
	return a.workspace, nil
}

// Release ends all processes that were started and then removes the workspace.
func (a *App) Release() error {
	var errs []error
	if a.Host != nil {
		errs = append(errs, a.Host.Close())
	}
	if a.workspace != nil {
		errs = append(errs, a.workspace.remove())
	}
	a.Host, a.workspace = nil, nil
	return errors.Join(errs...)
}

// isolated returns a stage that runs a built-in stage in another process of this program.
func (a *App) isolated(s stage.Stage, how pipeline.Isolation) (stage.Stage, error) {
	h, err := a.Hosted()
	if err != nil {
		return s, err
	}
	path, err := self()
	if err != nil {
		return s, err
	}
	memory := how.Memory
	if text := a.Settings.GetString("memory"); text != "" {
		if memory, err = config.ParseSize(text); err != nil {
			return s, failure.New(failure.Usage, "%s: %w", origin("memory"), err)
		}
	}
	p := host.Program{Name: s.Name, Path: path, Args: []string{"plugin", "serve", s.Name, "--memory", memory.String()}, Group: how.Step, Env: how.Env, Stall: how.Stall}
	return h.Isolate(s, p), nil
}

// Served reports whether a stage can run in another process. A composite cannot: it only
// names other stages.
func Served(s stage.Stage) bool { return s.Expand == nil }

// Working returns the stages for commands. If the tool's settings request it, all of
// them run isolated.
func (a *App) Working() (*stage.Registry, error) {
	if !a.Flag("isolate").On {
		return a.Stages, nil
	}
	var all []stage.Stage
	for _, s := range a.Stages.All() {
		if !Served(s) {
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

// Options returns the options for reading pipeline files.
func (a *App) Options(ctx context.Context) (pipeline.Options, error) {
	registry, err := a.Working()
	return pipeline.Options{Registry: registry, Plugins: a.Plugins(ctx), Isolate: a.Flag("isolate").On, MemoryLimit: cgroup.Memory("/")}, err
}

// Finder finds stages by name: built-in stages, and those of the plugins installed in the
// directory Base.
type Finder struct {
	*stage.Registry
	Plugins *Plugins
	Base    string
}

// Find returns a stage. If the plugin is refused, creating the stage returns the reason.
func (f Finder) Find(role stage.Role, name string) (stage.Stage, bool) {
	if s, ok := f.Registry.Find(role, name); ok {
		return s, true
	}
	s, _, err := f.Plugins.Find(role, name, f.Base, pipeline.Isolation{Stall: pipeline.DefaultStall})
	switch {
	case errors.Is(err, pipeline.ErrNoPlugin):
		return s, false
	case err != nil:
		s.Config = func() any { return &struct{}{} }
		s.NewBytes = func(context.Context, any, stage.Env) (stage.ByteTransform, error) { return nil, err }
	}
	return s, true
}

// Beside returns the part of the memory budget to reserve for memory outside the limit of
// Go's runtime: the program's own pages, and memory that is freed but not yet returned.
// Of a small budget, the runtime keeps three quarters; with less, it would spend its time
// collecting garbage.
func Beside(memory config.Size) int64 { return min(56<<20, int64(memory)/4) }
