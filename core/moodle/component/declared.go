package component

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Dependency is another plugin that a plugin needs.
type Dependency struct {
	Component string
	Version   Version // at least; none for any
}

// Declared is what the version.php of a plugin says.
type Declared struct {
	// Known is false if the version can't be decided without executing the file; a
	// Problem of the Code then says why.
	Known        bool
	Version      Version
	Release      string
	Requires     Version // of core, at least
	Dependencies []Dependency
}

// maxSource is the most bytes of a PHP or JSON file that are read.
const maxSource = 4 << 20

// readFile reads a file of at most max bytes.
func readFile(fsys fs.FS, name string, max int64) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	if info.Size() > max {
		return nil, fmt.Errorf("%s has %d bytes; at most %d are read", name, info.Size(), max)
	}
	return fs.ReadFile(fsys, name)
}

// readDeclared reads the text of a plugin's version.php. problems name what can't be decided.
func readDeclared(src []byte) (d Declared, problems []Problem) {
	vars := readVariables(src)
	d.Known = true
	get := func(name string) any {
		// Old plugins have $module, which is the same object.
		for _, object := range []string{"plugin", "module"} {
			if v, ok := vars[object+"->"+name]; ok {
				return v
			}
			if list, ok := vars[object].(array); ok && list.get(name) != nil {
				return list.get(name)
			}
		}
		return nil
	}
	number := func(name string) Version {
		v, line, ok := versionOf(get(name))
		if !ok {
			problems = append(problems, Problem{Line: line, Text: "$plugin->" + name + " can't be decided without executing the file"})
			d.Known = d.Known && name != "version"
		}
		return v
	}
	d.Version = number("version")
	d.Requires = number("requires")
	d.Release, _ = text(get("release"))
	list, _ := get("dependencies").(array)
	for _, e := range list {
		name, ok := e.key.(string)
		if !ok {
			continue
		}
		needed := Dependency{Component: name}
		if e.value != "any" {
			needed.Version, _, _ = versionOf(e.value)
		}
		d.Dependencies = append(d.Dependencies, needed)
	}
	slices.SortFunc(d.Dependencies, func(a, b Dependency) int { return strings.Compare(a.Component, b.Component) })
	return d, problems
}

// versionOf takes a value of a version.php for a version; line is where it is
// assigned if it isn't one.
func versionOf(v any) (version Version, line int, ok bool) {
	switch x := v.(type) {
	case nil, int64, float64, string:
		return Version{x}, 0, true
	case undecided:
		return Version{}, x.line, false
	}
	return Version{}, 0, false
}

// readCore reads the text of Moodle's own version.php.
func readCore(src []byte) (version Version, release, branch string, err error) {
	vars := readVariables(src)
	version, line, ok := versionOf(vars["version"])
	if !ok {
		return Version{}, "", "", fmt.Errorf("line %d: $version can't be decided without executing the file", line)
	}
	if version.IsZero() || version.number() <= 0 {
		return Version{}, "", "", fmt.Errorf("$version is missing or not a number; is this Moodle's version.php?")
	}
	release, _ = text(vars["release"])
	branch, _ = text(vars["branch"])
	return version, release, branch, nil
}
