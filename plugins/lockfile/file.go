package lockfile

import (
	"io/fs"
	"path"
	"runtime"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// Name is the name of a lock file, and Folder that of the plugins' files beside it.
const (
	Name   = "vault.lock.yaml"
	Folder = "vault-plugins"
)

// File is a lock file. The zero value but for Dir is that of a folder without one.
type File struct {
	Dir     string    // where it lies, as it was named
	Plugins []*Plugin // by name
	// BuiltIn are the stages whose names no plugin's may have; nil: none.
	BuiltIn *stage.Registry

	info fs.FileInfo // of the file that was read; nil where there is none
}

// Plugin is what is pinned of a plugin.
type Plugin struct {
	Name     string
	Version  string // as semver.org has it, without a v
	Protocol int    // major version
	SDK      string // what it was written with
	Stages   []Stage
	Pins     []Pin // by platform

	file *File
}

// Stage is a stage that a plugin has.
type Stage struct {
	Role stage.Role `json:"role"`
	Name string     `json:"name"`
}

// String gives "storage mystore".
func (s Stage) String() string { return string(s.Role) + " " + s.Name }

// places are the roles in which a stage can stand in a pipeline.
func (s Stage) places() []stage.Role {
	var places []stage.Role
	for _, role := range []stage.Role{stage.RoleSource, stage.RoleTransform, stage.RoleSink, stage.RoleAction} {
		if (&stage.Stage{Info: stage.Info{Role: s.Role}}).CanStand(role) {
			places = append(places, role)
		}
	}
	return places
}

// meets tells whether a pipeline could not tell the two apart.
func (s Stage) meets(other Stage) bool {
	return s.Name == other.Name && slices.ContainsFunc(s.places(), func(r stage.Role) bool { return slices.Contains(other.places(), r) })
}

// Pin is the one file of a plugin that may be executed on a platform.
type Pin struct {
	Platform string    // as Go names it: linux/amd64
	Path     string    // relative to the lock file, slash-separated
	SHA256   string    // of the file, lower-case hex
	Since    time.Time // in UTC, to the second
}

// Platform is the one that this program runs on.
func Platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// Find returns the plugin whose stage a pipeline means by a name in a role, be it
// fit for use or not: Program tells.
func (f *File) Find(role stage.Role, use string) (*Plugin, bool) {
	for _, p := range f.Plugins {
		if slices.Contains(p.Standing(role), use) {
			return p, true
		}
	}
	return nil, false
}

// Has tells whether a stage of the plugin has the name.
func (p *Plugin) Has(name string) bool {
	return slices.ContainsFunc(p.Stages, func(s Stage) bool { return s.Name == name })
}

// Standing are the names of its stages that can stand in a role.
func (p *Plugin) Standing(role stage.Role) []string {
	var names []string
	for _, s := range p.Stages {
		if slices.Contains(s.places(), role) {
			names = append(names, s.Name)
		}
	}
	return names
}

// Plugin returns the plugin of a name.
func (f *File) Plugin(name string) (*Plugin, bool) {
	i := slices.IndexFunc(f.Plugins, func(p *Plugin) bool { return p.Name == name })
	if i < 0 {
		return nil, false
	}
	return f.Plugins[i], true
}

// pin returns the plugin's pin of a platform.
func (p *Plugin) pin(platform string) (Pin, bool) {
	i := slices.IndexFunc(p.Pins, func(q Pin) bool { return q.Platform == platform })
	if i < 0 {
		return Pin{}, false
	}
	return p.Pins[i], true
}

// Pin returns the pin of this platform.
func (p *Plugin) Pin() (Pin, bool) { return p.pin(Platform()) }

// path is where a file of the folder lies, for messages.
func (f *File) path(name string) string { return path.Join(f.Dir, name) }

// Path is where the lock file lies or would lie.
func (f *File) Path() string { return f.path(Name) }
