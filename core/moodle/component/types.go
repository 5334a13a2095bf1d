package component

import (
	"context"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
)

// walk is the state of one Load.
type walk struct {
	*Code
	ctx        context.Context
	options    Options
	seen       map[string]bool // names of plugin types
	subsystems map[string]bool
	late       []Type // deprecated
}

// hosts lists the types whose plugins may declare subplugins, in Moodle's order.
var hosts = []string{"mod", "editor", "tool", "local"}

// types collects the plugin types from lib/components.json and from plugins.
func (w *walk) types() error {
	name, list, err := w.components()
	if err != nil {
		return err
	}
	subsystems, _ := list.get("subsystems").(array)
	w.subsystems = map[string]bool{}
	for _, e := range subsystems {
		s, _ := e.key.(string)
		w.subsystems[s] = true
		dir, _ := e.value.(string)
		if dir != "" {
			dir = w.below(dir)
		}
		w.Subsystems = append(w.Subsystems, Subsystem{Core + "_" + s, dir})
	}
	sortSubsystems(w.Subsystems)
	for _, key := range []string{"plugintypes", "deprecatedplugintypes", "deletedplugintypes"} {
		types, _ := list.get(key).(array)
		for _, e := range types {
			kind, _ := e.key.(string)
			dir, _ := e.value.(string)
			if kind == "" || !fs.ValidPath(w.below(dir)) {
				w.problem(name, 0, "plugin type %q: %q is not a path below the code", kind, dir)
				continue
			}
			w.add(Type{Name: kind, Dir: w.below(dir), Deprecated: key != "plugintypes"})
		}
	}
	// Moodle adds these two whatever the file says.
	for _, kind := range []string{"theme", "local"} {
		if kind == "local" {
			if err := w.declaredBy(hosts[:3]); err != nil {
				return err
			}
		}
		w.add(Type{Name: kind, Dir: path.Join(w.web, kind)})
	}
	if err := w.declaredBy(hosts[3:]); err != nil {
		return err
	}
	w.Types = append(w.Types, w.late...)
	return nil
}

// components reads lib/components.json.
func (w *walk) components() (name string, list array, err error) {
	for _, name = range w.libFiles("components.json") {
		src, err := readFile(w.fsys, name)
		if err != nil {
			continue
		}
		if list, err = readJSON(src); err != nil {
			return "", nil, failure.New(failure.Refused, "%s: %w", name, err)
		}
		if types, _ := list.get("plugintypes").(array); len(types) == 0 {
			return "", nil, failure.New(failure.Refused, "%s: no plugin types", name)
		}
		return name, list, nil
	}
	return "", nil, failure.New(failure.Refused, "lib/components.json is missing; Moodle %s is incomplete or older than 3.8", w.Release)
}

// below converts a path of components.json to one relative to the code.
func (w *walk) below(dir string) string {
	if dir == "admin" || strings.HasPrefix(dir, "admin/") {
		dir = w.admin + strings.TrimPrefix(dir, "admin")
	}
	if w.web != "." && strings.HasPrefix(dir, w.web+"/") {
		return path.Clean(dir)
	}
	return path.Join(w.web, dir)
}

// add adds a type unless one of that name exists.
func (w *walk) add(t Type) bool {
	if w.seen[t.Name] {
		return false
	}
	w.seen[t.Name] = true
	if t.Parent != "" {
		w.parents[t.Name] = t.Parent
	}
	if t.Deprecated {
		w.late = append(w.late, t)
	} else {
		w.Types = append(w.Types, t)
	}
	return true
}

// declaredBy adds the types that plugins of the given types declare.
func (w *walk) declaredBy(kinds []string) error {
	for _, kind := range kinds {
		i := slices.IndexFunc(w.Types, func(t Type) bool { return t.Name == kind })
		if i < 0 {
			continue
		}
		dirs, err := w.directories(w.Types[i])
		if err != nil {
			return err
		}
		for _, d := range dirs {
			w.subtypes(kind+"_"+d.name, d.path)
		}
	}
	return nil
}

// directory is the directory of a plugin.
type directory struct{ name, path string }

// ignored lists names of directories that are never plugins.
var ignored = map[string]bool{
	"CVS": true, "_vti_cnf": true, "amd": true, "classes": true, "db": true, "fonts": true, "lang": true, "pix": true,
	"simpletest": true, "templates": true, "tests": true, "yui": true,
}

// directories lists the plugins of a type, by name.
func (w *walk) directories(t Type) ([]directory, error) {
	found := map[string]string{}
	places := []struct {
		fsys fs.FS
		dir  string
		show string
	}{{w.fsys, t.Dir, t.Dir}}
	if t.Name == "theme" && w.options.ThemeDir != "" {
		places = append(places, places[0])
		places[1].fsys, places[1].dir, places[1].show = os.DirFS(w.options.ThemeDir), ".", w.options.ThemeDir
	}
	for _, place := range places {
		entries, err := fs.ReadDir(place.fsys, place.dir)
		if err != nil {
			if _, err := fs.Stat(place.fsys, place.dir); err == nil {
				w.problem(place.show, 0, "cannot read the directory; its plugins are unknown")
			}
			continue
		}
		for _, e := range entries {
			if err := w.ctx.Err(); err != nil {
				return nil, err
			}
			name := e.Name()
			if ignored[name] && !(t.Name == "auth" && name == "db") || !w.validName(t.Name, name) {
				continue
			}
			// A plugin may be behind a symbolic link.
			if info, err := fs.Stat(place.fsys, path.Join(place.dir, name)); err == nil && info.IsDir() {
				found[name] = path.Join(place.show, name)
			}
		}
	}
	var list []directory
	for name, dir := range found {
		list = append(list, directory{name, dir})
	}
	slices.SortFunc(list, func(a, b directory) int { return strings.Compare(a.name, b.name) })
	return list, nil
}
