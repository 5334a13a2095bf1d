package pipeline

import (
	"cmp"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// Isolation describes the process that runs a stage.
type Isolation struct {
	// Step identifies a step that has its own process, as "source 1". It is "" if the step
	// shares the process with the other stages of its plugin.
	Step  string
	Env   []string      // names of environment variables to pass, in addition to the usual ones
	Stall time.Duration // maximum time without progress
	// Memory is the limit for the process, the same as for vault itself.
	Memory config.Size
}

// Plugins runs stages in separate processes: stages of plugins, and built-in stages that a
// step isolates.
type Plugins interface {
	// Find returns a stage of a plugin. use is the name of an installed stage, or the path
	// of a plugin relative to the directory base. notice is a warning, or "". The error is
	// ErrNoPlugin, possibly a *NoPlugin, if there is no such plugin; any other error is the
	// reason why a plugin was refused.
	Find(role stage.Role, use, base string, how Isolation) (s stage.Stage, notice string, err error)
	// Isolate returns a stage that runs the built-in stage s in another process.
	Isolate(s stage.Stage, how Isolation) (stage.Stage, error)
}

// ErrNoPlugin is the error of Find if there is no such plugin.
var ErrNoPlugin = errors.New("no such plugin")

// NoPlugin is an ErrNoPlugin that lists the installed stages.
type NoPlugin struct {
	Installed []string // installed stages of the role
}

func (*NoPlugin) Error() string { return ErrNoPlugin.Error() }

// Unwrap returns ErrNoPlugin.
func (*NoPlugin) Unwrap() error { return ErrNoPlugin }

// hint follows a list of known stages.
const hint = "vault plugin install adds more"

// DefaultStall is the default of Isolation.Stall.
const DefaultStall = 15 * time.Minute

// process holds the keys of a step that configure the process of its stage.
type process struct {
	Isolate bool            `key:"isolate" default:"false" help:"run the stage in a separate process; without it, the stages of a plugin share one"`
	Env     []string        `key:"env" help:"names of environment variables to pass to the process, in addition to the usual ones" example:"AWS_PROFILE"`
	Stall   config.Duration `key:"stall" default:"15m" min:"1s" max:"720h" help:"how long the process may make no progress before it is killed"`
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Validate checks the names of variables.
func (p *process) Validate() error {
	for i, name := range p.Env {
		switch {
		case !variable.MatchString(name):
			return config.At("env", "env must list names of environment variables; item %d is not one", i+1) // without its text: it may be a value
		case name == "TMPDIR" || name == "VAULT_PLUGIN" || strings.HasPrefix(name, "PLUGIN_"):
			return config.At("env", "env names %s, which vault sets itself", name)
		case slices.Contains(p.Env[:i], name):
			return config.At("env", "env names %s twice", name)
		}
	}
	return nil
}

// isPath reports whether use is the path of a plugin rather than a name.
func isPath(use string) bool { return strings.Contains(use, "/") }

// find returns the stage that an item names, isolated if the item asks for it. step
// identifies the item.
func (l *loader) find(role stage.Role, u *use, step string, at map[string]config.Position) (stage.Stage, bool) {
	how := Isolation{Env: u.Env, Stall: time.Duration(u.Stall), Memory: l.pipeline.Memory}
	l.unset(u, at)
	built, ok := l.registry.Find(role, u.Use)
	if isPath(u.Use) || !ok {
		if u.Isolate {
			how.Step = step
		}
		return l.plugin(role, u.Use, how, at["use"])
	}
	if built.Expand != nil { // the process keys apply to its parts
		return built, true
	}
	if !u.Isolate && !l.isolate {
		ok := true
		for _, key := range []string{"env", "stall"} {
			if where, there := at[key]; there {
				l.fail(where, "add isolate: true, or remove it", "%s requires a separate process, but %s runs in vault's own", key, u.Use)
				ok = false
			}
		}
		return built, ok
	}
	how.Step = step
	if l.plugins == nil {
		l.fail(at["use"], "remove isolate", "separate processes are not available here")
		return built, false
	}
	isolated, err := l.plugins.Isolate(built, how)
	if err != nil {
		l.fail(at["use"], "", "cannot run %s in a separate process: %v", u.Use, err)
		return built, false
	}
	return isolated, true
}

// plugin returns a stage of a plugin.
func (l *loader) plugin(role stage.Role, name string, how Isolation, at config.Position) (stage.Stage, bool) {
	s, notice, err := stage.Stage{}, "", ErrNoPlugin
	if l.plugins != nil {
		s, notice, err = l.plugins.Find(role, name, l.base, how)
	}
	switch {
	case errors.Is(err, ErrNoPlugin) && isPath(name):
		if l.decoder.Shown("", name) == "" {
			name = "this path"
		}
		l.fail(at, "paths are relative to the directory of the pipeline file", "no plugin at %s", name)
	case errors.Is(err, ErrNoPlugin):
		var there NoPlugin
		if known := new(NoPlugin); errors.As(err, &known) {
			there = *known
		}
		l.fail(at, l.suggest(role, name, there.Installed), "no %s stage %s", role, cmp.Or(l.decoder.Shown("", name, l.stageNames(there.Installed)...), "of this name"))
	case err != nil:
		l.fail(at, "", "%s", l.decoder.Redact(err.Error()))
	case notice != "":
		l.report(config.Warning, at, "", "%s", l.decoder.Redact(notice))
	}
	return s, err == nil
}

// unset warns about variables in env that are not set.
func (l *loader) unset(u *use, at map[string]config.Position) {
	lookup := l.decoder.Values.Env
	if lookup == nil {
		lookup = os.LookupEnv
	}
	for i, name := range u.Env {
		if _, ok := lookup(name); !ok {
			l.report(config.Warning, at["env"], "", "item %d of env names a variable that is not set", i+1)
		}
	}
}
