package component

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
)

// plugins reads the plugins of a type.
func (w *walk) plugins(t Type) error {
	dirs, err := w.directories(t)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		name := t.Name + "_" + d.name
		p := Plugin{
			Component: name, Type: t.Name, Name: d.name, Dir: d.path, Parent: t.Parent, Deprecated: t.Deprecated,
			Standard: w.list.there[name],
		}
		file := path.Join(d.path, "version.php")
		_, err := w.file(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			w.problem(d.path, 0, "version.php is missing; Moodle treats the directory as a plugin without a version")
			p.Known = true
		case err != nil:
			w.problem(file, 0, "cannot read it: %v", err)
		default:
			var problems []Problem
			if p.Declared, problems, err = w.Code.declared(w.ctx, file); err != nil {
				return err
			}
			w.Problems = append(w.Problems, problems...)
		}
		w.byName[name] = len(w.Plugins)
		w.Plugins = append(w.Plugins, p)
	}
	return nil
}

// file reads a file of a plugin: relative to the code, or absolute below Options.ThemeDir.
func (c *Code) file(name string) ([]byte, error) {
	if strings.HasPrefix(name, "/") {
		return readFile(os.DirFS(path.Dir(name)), path.Base(name))
	}
	return readFile(c.fsys, name)
}

var (
	moduleName = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	typeName   = moduleName
)

// validName reports whether Moodle treats a directory of that name as a plugin.
func (w *walk) validName(kind, name string) bool {
	switch {
	case kind == "mod":
		return moduleName.MatchString(name) && !w.subsystems[name]
	case kind == "qtype" && name == "random":
		return w.branch() < noRandom
	}
	return validPluginName(name)
}

// noRandom is the first branch that ignores a directory question/type/random left
// over from an older Moodle; 5.1 does not.
const noRandom = 502

// validPluginName matches ^[a-z](?:[a-z0-9_](?!__))*[a-z0-9]+$, which package regexp can't.
func validPluginName(name string) bool {
	n := len(name)
	if n < 2 || name[0] < 'a' || name[0] > 'z' || name[n-1] == '_' {
		return false
	}
	for i := 1; i < n; i++ {
		if c := name[i]; c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	// From the second character on, three characters in a row may not end in two underscores.
	return !strings.Contains(name[2:], "__")
}

// subtypes adds the plugin types that a plugin declares.
func (w *walk) subtypes(parent, dir string) {
	register := []struct {
		list       array
		deprecated bool
	}{}
	name := path.Join(dir, "db/subplugins.json")
	src, err := w.file(name)
	switch {
	case err == nil:
		list, err := readJSON(src)
		if err != nil {
			w.problem(name, 0, "invalid JSON: %v", err)
			return
		}
		for _, key := range []string{"", "deprecated", "deleted"} {
			register = append(register, struct {
				list       array
				deprecated bool
			}{w.declaredInJSON(list, key, dir), key != ""})
		}
	case !errors.Is(err, fs.ErrNotExist):
		w.problem(name, 0, "cannot read it: %v", err)
		return
	case w.branch() < noSubpluginsPHP:
		register = append(register, struct {
			list       array
			deprecated bool
		}{w.declaredInPHP(path.Join(dir, "db/subplugins.php")), false})
	}
	for _, r := range register {
		for _, e := range r.list {
			kind, _ := e.key.(string)
			place, _ := e.value.(string)
			w.subtype(Type{Name: kind, Dir: place, Parent: parent, Deprecated: r.deprecated}, dir)
		}
	}
}

// The branches that changed how subplugins are declared.
const (
	subpluginTypes  = 500 // subplugintypes, relative to the plugin, comes before plugintypes
	noSubpluginsPHP = 501 // db/subplugins.php is an error
)

// declaredInJSON returns a list of subplugins.json, with directories relative to the code.
func (w *walk) declaredInJSON(list array, prefix, dir string) array {
	relative, _ := list.get(prefix + "subplugintypes").(array)
	var out array
	if len(relative) > 0 && w.branch() >= subpluginTypes {
		for _, e := range relative {
			place, _ := e.value.(string)
			out = append(out, element{e.key, path.Join(dir, place)})
		}
		return out
	}
	if prefix != "" {
		return nil
	}
	below, _ := list.get("plugintypes").(array)
	for _, e := range below {
		place, _ := e.value.(string)
		out = append(out, element{e.key, w.below(place)})
	}
	return out
}

// declaredInPHP reads the variable $subplugins.
func (w *walk) declaredInPHP(name string) array {
	if _, err := w.file(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	list, err := w.subplugins(w.ctx, name)
	if err != nil {
		w.problem(name, 0, "$subplugins can't be determined without executing the file; its subplugins are unknown: %v", err)
	}
	for i, e := range list {
		list[i].value = w.below(e.value.(string))
	}
	return list
}

// subtype adds a type that a plugin declares, unless Moodle ignores it.
func (w *walk) subtype(t Type, owner string) {
	info, err := fs.Stat(w.fsys, t.Dir)
	switch {
	case !typeName.MatchString(t.Name):
		w.problem(owner, 0, "it declares the plugin type %.40q; a type consists of lower-case letters and digits", t.Name)
	case w.subsystems[t.Name]:
		w.problem(owner, 0, "it declares the plugin type %s, which is a subsystem of core", t.Name)
	case err != nil || !info.IsDir():
		w.problem(owner, 0, "it declares the plugin type %s in %s, which is not a directory", t.Name, t.Dir)
	case !w.add(t):
		w.problem(owner, 0, "it declares the plugin type %s, which already exists", t.Name)
	}
}
