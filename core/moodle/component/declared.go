package component

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/php"
)

// Dependency is a plugin that another plugin requires.
type Dependency struct {
	Component string
	Version   Version // the minimum, none for any
}

// Declared holds the declarations of a plugin's version.php.
type Declared struct {
	// Known is false if the version could not be determined; Code.Problems says why.
	Known        bool
	Version      Version
	Release      string
	Requires     Version // the minimum version of core
	Dependencies []Dependency
}

// declared evaluates a plugin's version.php. problems name what can't be determined.
func (c *Code) declared(ctx context.Context, file string) (d Declared, problems []Problem, err error) {
	const object = "$plugin = new stdClass(); $plugin->version = null; $module = $plugin;" // old plugins use $module
	values, open, err := c.evaluate(ctx, file, object, "", "plugin")
	if ctx.Err() != nil {
		return d, nil, ctx.Err()
	}
	if err != nil {
		return d, []Problem{problemOf(file, err)}, nil
	}
	d.Known = true
	number := func(name string) Version {
		property := values[name]
		v, ok := versionOf(property.Value)
		why := property.Value.Unknown()
		if name == "version" && why == nil {
			why = open
		}
		if !ok || why != nil {
			problems = append(problems, undecided(file, "$plugin->"+name, property, why))
			d.Known = d.Known && name != "version"
		}
		return v
	}
	d.Version = number("version")
	d.Requires = number("requires")
	d.Release, _ = values["release"].Value.Text()
	for name, value := range values["dependencies"].Value.Items {
		needed := Dependency{Component: name}
		if text, _ := value.Text(); text != "any" {
			needed.Version, _ = versionOf(value)
		}
		d.Dependencies = append(d.Dependencies, needed)
	}
	slices.SortFunc(d.Dependencies, func(a, b Dependency) int { return strings.Compare(a.Component, b.Component) })
	return d, problems, nil
}

// readCore evaluates Moodle's own version.php.
func (c *Code) readCore(ctx context.Context, file string) error {
	values, open, err := c.evaluate(ctx, file, "", "$core = new stdClass(); $core->version = $version; $core->release = $release; $core->branch = $branch;", "core")
	if err == nil && open != nil {
		err = errors.New(open.String())
	}
	if err != nil {
		p := problemOf(file, err)
		return errors.New(strings.TrimPrefix(p.String(), file+": "))
	}
	version, ok := versionOf(values["version"].Value)
	if why := values["version"].Value.Unknown(); why != nil {
		return fmt.Errorf("$version can't be determined without executing the file: %s", reason(why))
	}
	if !ok || version.number() <= 0 {
		return errors.New("$version is missing or not a number; is this Moodle's version.php?")
	}
	c.Version = version
	c.Release, _ = values["release"].Value.Text()
	c.Branch, _ = values["branch"].Value.Text()
	return nil
}

// subplugins evaluates a db/subplugins.php and returns its list.
func (c *Code) subplugins(ctx context.Context, file string) (array, error) {
	values, _, err := c.evaluate(ctx, file, "", "$out = new stdClass(); $out->list = $subplugins;", "out")
	if err != nil {
		return nil, err
	}
	list := values["list"].Value
	if why := list.Unknown(); why != nil {
		return nil, errors.New(reason(why))
	}
	if list.Kind() != php.KindArray {
		return nil, errors.New("$subplugins is not an array")
	}
	var all array
	for kind, value := range list.Items {
		dir, _ := value.Text()
		all = append(all, element{kind, dir})
	}
	return all, nil
}
