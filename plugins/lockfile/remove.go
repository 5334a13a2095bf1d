package lockfile

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
)

// Remove removes a plugin from the lock file, and its files, whether or not it may be used.
// It returns the removed entry.
func Remove(ctx context.Context, dir, name string) (*Plugin, error) {
	var removed *Plugin
	err := update(ctx, dir, func(root *os.Root, f *File) error {
		var err error
		if removed, err = f.Known(name); err != nil {
			return err
		}
		f.forget(removed)
		if err := f.save(root); err != nil {
			return err
		}
		return f.discard(root, removed)
	})
	return removed, err
}

// Known returns the plugin with the given name, or an error of class failure.Usage with a
// suggestion.
func (f *File) Known(name string) (*Plugin, error) {
	if p, ok := f.Plugin(name); ok {
		return p, nil
	}
	var names []string
	for _, p := range f.Plugins {
		names = append(names, p.Name)
		if p.Has(name) {
			return nil, failure.New(failure.Usage, "no plugin is named %q; it is a stage of plugin %s", name, p.Name)
		}
	}
	strays, err := f.Strays()
	if err != nil {
		return nil, err
	}
	for _, s := range strays {
		if strings.HasPrefix(s, Folder+"/"+name) {
			return nil, failure.New(failure.Usage, "plugin %s is not installed: %s exists but is not pinned in %s, so it is never run; install it with vault plugin install", name, f.path(s), Name)
		}
	}
	hint := "vault plugin list shows the installed plugins"
	if near := config.Nearest(name, names); near != "" {
		hint = near
	}
	return nil, failure.New(failure.Usage, "plugin %q is not installed in %s; %s", name, f.path("."), hint)
}

func (f *File) forget(p *Plugin) {
	f.Plugins = slices.DeleteFunc(f.Plugins, func(q *Plugin) bool { return q.Name == p.Name })
}

// pins reports whether a file is pinned for any platform.
func (f *File) pins(name string) bool {
	return slices.ContainsFunc(f.Plugins, func(p *Plugin) bool {
		return slices.ContainsFunc(p.Pins, func(pin Pin) bool { return pin.Path == name })
	})
}
