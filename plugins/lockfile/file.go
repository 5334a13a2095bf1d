package lockfile

import (
	"io/fs"
	"path"
	"runtime"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// Name is the name of a lock file. Folder is the directory next to it with the plugins'
// files.
const (
	Name   = "vault.lock.yaml"
	Folder = "vault-plugins"
)

// File is a lock file. For a directory without one, only Dir is set.
type File struct {
	Dir     string    // its directory, as given
	Plugins []*Plugin // sorted by name
	// BuiltIn has the stages whose names no plugin may use; it may be nil.
	BuiltIn *stage.Registry

	info fs.FileInfo // of the file that was read; nil if there is none
}

// Plugin is an entry of the lock file.
type Plugin struct {
	Name     string
	Version  string // a semantic version without a leading v
	Protocol int    // major version
	SDK      string // the SDK it was built with
	Stages   []Stage
	Pins     []Pin // sorted by platform

	file *File
}

// Stage is a stage of a plugin.
type Stage struct {
	Role stage.Role `json:"role"`
	Name string     `json:"name"`
}

// String returns the role and the name: "storage mystore".
func (s Stage) String() string { return string(s.Role) + " " + s.Name }

// places returns the roles in which the stage can be used in a pipeline.
func (s Stage) places() []stage.Role {
	var places []stage.Role
	for _, role := range []stage.Role{stage.RoleSource, stage.RoleTransform, stage.RoleSink, stage.RoleAction} {
		if (&stage.Stage{Info: stage.Info{Role: s.Role}}).CanStand(role) {
			places = append(places, role)
		}
	}
	return places
}

// meets reports whether both stages have the same name in the same role of a pipeline.
func (s Stage) meets(other Stage) bool {
	return s.Name == other.Name && slices.ContainsFunc(s.places(), func(r stage.Role) bool { return slices.Contains(other.places(), r) })
}

// Pin is the one file of a plugin that may be executed on a platform.
type Pin struct {
	Platform string    // GOOS/GOARCH: linux/amd64
	Path     string    // relative to the lock file, slash-separated
	SHA256   string    // of the file, in lower-case hex
	Since    time.Time // in UTC, with a precision of a second
}

// Platform returns the platform of this program.
func Platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// Find returns the plugin with the stage that a pipeline uses under this name and role. It
// does not check whether the plugin may run; Program does.
func (f *File) Find(role stage.Role, use string) (*Plugin, bool) {
	for _, p := range f.Plugins {
		if slices.Contains(p.Standing(role), use) {
			return p, true
		}
	}
	return nil, false
}

// Has reports whether the plugin has a stage with the name.
func (p *Plugin) Has(name string) bool {
	return slices.ContainsFunc(p.Stages, func(s Stage) bool { return s.Name == name })
}

// Standing returns the names of its stages that can be used in the role.
func (p *Plugin) Standing(role stage.Role) []string {
	var names []string
	for _, s := range p.Stages {
		if slices.Contains(s.places(), role) {
			names = append(names, s.Name)
		}
	}
	return names
}

// Plugin returns the plugin with the given name.
func (f *File) Plugin(name string) (*Plugin, bool) {
	i := slices.IndexFunc(f.Plugins, func(p *Plugin) bool { return p.Name == name })
	if i < 0 {
		return nil, false
	}
	return f.Plugins[i], true
}

// pin returns the plugin's pin for a platform.
func (p *Plugin) pin(platform string) (Pin, bool) {
	i := slices.IndexFunc(p.Pins, func(q Pin) bool { return q.Platform == platform })
	if i < 0 {
		return Pin{}, false
	}
	return p.Pins[i], true
}

// Pin returns the pin for this platform.
func (p *Plugin) Pin() (Pin, bool) { return p.pin(Platform()) }

// path returns the path of a file in the directory, for messages.
func (f *File) path(name string) string { return path.Join(f.Dir, name) }

// Path returns the path of the lock file, even if it does not exist.
func (f *File) Path() string { return f.path(Name) }
