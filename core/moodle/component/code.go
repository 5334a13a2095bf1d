package component

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"

	"github.com/lmsvault/vault/core/failure"
)

// Core is the component name of Moodle itself.
const Core = "core"

// Options are the settings of config.php that move parts of the code. Almost all
// sites need none.
type Options struct {
	Admin    string // $CFG->admin, a directory; "" for admin
	ThemeDir string // $CFG->themedir, an absolute path; "" for theme
}

// Code is the code of a Moodle site.
type Code struct {
	Version Version
	Release string // 4.5.6 (Build: 20250811)
	Branch  string // 405

	// Types lists the plugin types in Moodle's order, then the deprecated ones.
	Types      []Type
	Plugins    []Plugin    // by type in the order of Types, then by name
	Subsystems []Subsystem // by name

	Problems []Problem

	fsys    fs.FS
	web     string // the directory of mod, relative to the code: "." or "public"
	admin   string // the name of the directory admin
	themes  string // Options.ThemeDir
	list    standard
	byName  map[string]int    // of a plugin, in Plugins
	parents map[string]string // of a plugin type: the component that declares it
}

// Type is a plugin type, such as mod.
type Type struct {
	Name string
	Dir  string // where its plugins are, relative to the code
	// Parent is the component that declares the type for its subplugins, "" for none.
	Parent string
	// Deprecated types are not part of Moodle's list of versions.
	Deprecated bool
}

// Plugin is a plugin whose code is present.
type Plugin struct {
	Component  string // mod_forum
	Type, Name string
	Dir        string // relative to the code; absolute below Options.ThemeDir
	Parent     string // the component that declares its type, "" for none
	Standard   bool   // part of the Moodle distribution
	Deprecated bool   // its type is deprecated
	Declared
}

// Subsystem is a part of core.
type Subsystem struct {
	Component string // core_cache
	Dir       string // relative to the code, "" for none
}

// Problem is something in the code that Moodle ignores or that Load could not determine.
type Problem struct {
	Path string // relative to the code
	Line int    // 0 for the whole file
	Text string
}

// String returns path, line and text.
func (p Problem) String() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Text)
	}
	return p.Path + ": " + p.Text
}

// Load reads the code in dir, the directory that holds config.php. An error of class
// failure.Refused says that dir does not hold the code of Moodle 3.8 or later.
func Load(ctx context.Context, dir string, o Options) (*Code, error) {
	code, err := LoadFS(ctx, os.DirFS(dir), o)
	if err != nil {
		return nil, fmt.Errorf("reading Moodle's code in %s: %w", dir, err)
	}
	return code, nil
}

// LoadFS is Load for the code in fsys. Options.ThemeDir is still a directory of the
// operating system.
func LoadFS(ctx context.Context, fsys fs.FS, o Options) (*Code, error) {
	c := &Code{fsys: fsys, admin: cmp.Or(o.Admin, "admin"), themes: o.ThemeDir, byName: map[string]int{}, parents: map[string]string{}}
	if err := c.core(ctx); err != nil {
		return nil, err
	}
	c.list = c.standard(ctx)
	w := &walk{Code: c, ctx: ctx, options: o, seen: map[string]bool{}}
	if err := w.types(); err != nil {
		return nil, err
	}
	for _, t := range c.Types {
		if err := w.plugins(t); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// core finds version.php and reads it.
func (c *Code) core(ctx context.Context) error {
	for _, c.web = range []string{"public", "."} {
		name := path.Join(c.web, "version.php")
		if _, err := fs.Stat(c.fsys, name); err != nil {
			continue
		}
		if err := c.readCore(ctx, name); err != nil {
			return errors.Join(ctx.Err(), failure.New(failure.Refused, "%s: %w", name, err))
		}
		return nil
	}
	return failure.New(failure.Refused, "no version.php here or in public; give the directory that holds Moodle's config.php")
}

// maxSource is the most bytes of a PHP or JSON file that are read.
const maxSource = 4 << 20

// readFile reads a file of at most maxSource bytes.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	if info.Size() > maxSource {
		return nil, fmt.Errorf("%s has %d bytes; at most %d are read", name, info.Size(), maxSource)
	}
	return fs.ReadFile(fsys, name)
}

// branch returns the branch as a number, such as 405 for Moodle 4.5.
func (c *Code) branch() int {
	n, err := strconv.Atoi(c.Branch)
	if err != nil {
		return 0
	}
	return n
}

// Plugin returns a plugin by its component name, and whether its code is present.
func (c *Code) Plugin(component string) (Plugin, bool) {
	i, ok := c.byName[component]
	if !ok {
		return Plugin{}, false
	}
	return c.Plugins[i], true
}

func (c *Code) problem(path string, line int, format string, args ...any) {
	c.Problems = append(c.Problems, Problem{path, line, fmt.Sprintf(format, args...)})
}

func sortSubsystems(list []Subsystem) {
	slices.SortFunc(list, func(a, b Subsystem) int { return cmp.Compare(a.Component, b.Component) })
}
