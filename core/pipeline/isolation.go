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

// Isolation says how the process is that a step's stage runs in.
type Isolation struct {
	// Step tells a step from the others of its pipeline where it wants a process
	// of its own: "source 1"; "" where it shares one with the other stages of its plugin.
	Step  string
	Env   []string      // names of environment variables that the process gets beside the usual ones
	Stall time.Duration // how long the stage may show no progress
	// Memory is what the process may use, as vault's own may.
	Memory config.Size
}

// Plugins runs stages in processes of their own: those of plugins, and built-in
// ones that a step isolates.
type Plugins interface {
	// Find returns the stage of a plugin that use names: the name of an installed
	// one, or a path, relative to the folder base. notice is a warning about it, or
	// "". ErrNoPlugin if there is none, which may be a NoPlugin; any other error says
	// why one was found and refused.
	Find(role stage.Role, use, base string, how Isolation) (s stage.Stage, notice string, err error)
	// Isolate returns a built-in stage as one that runs in another process.
	Isolate(s stage.Stage, how Isolation) (stage.Stage, error)
}

// ErrNoPlugin is Find's error where nothing has the name.
var ErrNoPlugin = errors.New("no such plugin")

// NoPlugin is an ErrNoPlugin that knows what there is.
type NoPlugin struct {
	Installed []string // stages that can stand in the role
}

func (*NoPlugin) Error() string { return ErrNoPlugin.Error() }

// Unwrap returns ErrNoPlugin.
func (*NoPlugin) Unwrap() error { return ErrNoPlugin }

// hint tells where more stages come from.
const hint = "vault plugin install adds others"

// DefaultStall is how long a stage in another process may show no progress
// where nothing is said.
const DefaultStall = 15 * time.Minute

// process is what an item of source, transform or sink says about the process
// of its stage.
type process struct {
	Isolate bool            `key:"isolate" default:"false" help:"run the stage in a process of its own; the stages of one plugin share a process otherwise"`
	Env     []string        `key:"env" help:"names of environment variables that its process gets beside the usual ones" example:"AWS_PROFILE"`
	Stall   config.Duration `key:"stall" default:"15m" min:"1s" max:"720h" help:"how long its process may show no progress before it is ended"`
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Validate checks the names of variables.
func (p *process) Validate() error {
	for i, name := range p.Env {
		switch {
		case !variable.MatchString(name):
			return config.At("env", "env must list names of environment variables, and item %d is none", i+1) // without its text: it may be a value
		case name == "TMPDIR" || name == "VAULT_PLUGIN" || strings.HasPrefix(name, "PLUGIN_"):
			return config.At("env", "env names %s, which vault itself gives to the process", name)
		case slices.Contains(p.Env[:i], name):
			return config.At("env", "env names %s twice", name)
		}
	}
	return nil
}

// isPath tells a plugin's path from a name.
func isPath(use string) bool { return strings.Contains(use, "/") }

// find finds the stage that an item names, as one that runs where it says. step
// tells it from others.
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
	if built.Expand != nil { // its parts run where it says
		return built, true
	}
	if !u.Isolate && !l.isolate {
		ok := true
		for _, key := range []string{"env", "stall"} {
			if where, there := at[key]; there {
				l.fail(where, "write isolate: true beside it, or remove it", "%s is about the process of a stage, and %s runs in vault's own", key, u.Use)
				ok = false
			}
		}
		return built, ok
	}
	how.Step = step
	if l.plugins == nil {
		l.fail(at["use"], "remove isolate", "stages can't run in processes of their own here")
		return built, false
	}
	isolated, err := l.plugins.Isolate(built, how)
	if err != nil {
		l.fail(at["use"], "", "%s can't run in a process of its own: %v", u.Use, err)
		return built, false
	}
	return isolated, true
}

// plugin finds the stage of a plugin.
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
		l.fail(at, "a path is relative to the folder of the pipeline file", "there is no plugin at %s", name)
	case errors.Is(err, ErrNoPlugin):
		var there NoPlugin
		if known := new(NoPlugin); errors.As(err, &known) {
			there = *known
		}
		l.fail(at, l.suggest(role, name, there.Installed), "no stage %s can stand as %s", cmp.Or(l.decoder.Shown("", name, l.stageNames(there.Installed)...), "of this name"), article(role))
	case err != nil:
		l.fail(at, "", "%s", l.decoder.Redact(err.Error()))
	case notice != "":
		l.report(config.Warning, at, "", "%s", l.decoder.Redact(notice))
	}
	return s, err == nil
}

// unset warns of variables that the process is to get and nobody has set.
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
