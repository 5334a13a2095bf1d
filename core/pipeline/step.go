package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// use is one item of source, transform or sink.
type use struct {
	Use  string    `key:"use" required:"true" help:"the name of the stage, or the path of a plugin's program in development" example:"NAME"`
	With yaml.Node `key:"with" help:"its settings"`
	process
}

func (l *loader) steps(role stage.Role, n *yaml.Node) []Step {
	n = config.Resolve(n)
	if role == stage.RoleTransform && isNull(n) {
		return nil
	}
	if n.IsZero() { // missing: reported where it is required
		l.unknown = l.unknown || role != stage.RoleTransform
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		l.unknown = true
		l.fail(l.decoder.At(n), "write "+string(role)+": and below it - use: NAME", "%s must be a list of stages", role)
		return nil
	}
	if len(n.Content) == 0 && role != stage.RoleTransform {
		l.unknown = true
		l.fail(l.decoder.At(n), "give at least one: "+strings.Join(names(l.registry, role), ", "), "the list %s is empty", role)
	}
	var steps []Step
	for i, item := range n.Content {
		made, ok := l.step(role, i, item)
		steps, l.unknown = append(steps, made...), l.unknown || !ok
	}
	return steps
}

// step decodes an item of source, transform or sink. A composite yields several steps.
func (l *loader) step(role stage.Role, i int, n *yaml.Node) (made []Step, ok bool) {
	s, with, ok := l.located(role, string(role), i, n)
	if !ok {
		return nil, false
	}
	found := l.settings(&s, with)
	if s.Stage.Expand != nil {
		return l.expand(&s, found)
	}
	return []Step{s}, true
}

// located returns the stage of an item of a list and the node of its settings. more are
// additional keys of the item.
func (l *loader) located(role stage.Role, list string, i int, n *yaml.Node, more ...any) (Step, *yaml.Node, bool) {
	s := Step{Role: role, At: l.decoder.At(n), node: fmt.Sprintf("%s[%d]", list, i)}
	var u use
	found := l.decoder.DecodeIn(s.node, n, append(more, &u)...)
	l.found = append(l.found, found.Findings...)
	if u.Use == "" {
		return s, nil, false
	}
	at := found.At
	if len(found.Of(config.Error)) > 0 { // the process keys may be wrong; check the settings of the stage anyway
		u.process = process{}
		delete(at, "env")
		delete(at, "stall")
	}
	var ok bool
	if s.Stage, ok = l.find(role, &u, fmt.Sprintf("%s %d", list, i+1), at); !ok {
		return s, nil, false
	}
	s.process, s.processAt = u.process, at
	with := config.Resolve(&u.With)
	if with.IsZero() || isNull(with) {
		with = &yaml.Node{Kind: yaml.MappingNode, Line: s.At.Line, Column: s.At.Column}
	}
	return s, with, true
}

// settings decodes the settings of a step.
func (l *loader) settings(s *Step, with *yaml.Node) config.Decoded {
	s.Config = s.Stage.Config()
	targets := []any{s.Config}
	switch {
	case s.Role == stage.RoleSource && s.storage():
		s.From = &SnapshotConfig{}
		targets = append(targets, s.From)
	case s.Role == stage.RoleSink && s.storage():
		s.Into = &RepositoryConfig{}
		targets = append(targets, s.Into)
	case s.Role == stage.RoleSink && !replaces(s.Config):
		s.Onto = &TargetConfig{}
		targets = append(targets, s.Onto)
	}
	if l.replace && s.Role == stage.RoleSink {
		with = l.replacing(with, targets...)
	}
	found := l.decoder.DecodeIn(s.node+".with", with, targets...)
	l.found = append(l.found, found.Findings...)
	s.keys = found.At
	if len(found.Of(config.Error)) == 0 {
		var err error
		if s.places, err = config.Places(s.Config); err != nil {
			l.fail(s.At, "", "%v", err)
		}
	}
	return found
}

// suggest returns a suggestion for a name that is unknown in role. installed are the
// installed stages of plugins.
func (l *loader) suggest(role stage.Role, name string, installed []string) string {
	for _, other := range []stage.Role{stage.RoleSource, stage.RoleTransform, stage.RoleSink, stage.RoleAction} {
		s, ok := l.registry.Find(other, name)
		if ok && s.Role == stage.RoleStorage {
			return "it is a storage; write it below source or sink"
		}
		if ok {
			return fmt.Sprintf("it is %s; write it below %s", article(other), lists(other))
		}
	}
	if info, err := os.Stat(filepath.Join(l.base, name)); l.plugins != nil && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
		return fmt.Sprintf("write ./%s for the program next to this file, or install it with vault plugin install", name)
	}
	if meant, ok := moodleName(name); ok {
		return fmt.Sprintf("Moodle's %s is the stage %s", name, meant)
	}
	known := append(names(l.registry, role), installed...)
	if near := config.Nearest(name, known); near != "" {
		return near + " (" + hint + ")"
	}
	return "known stages are " + strings.Join(known, ", ") + "; " + hint
}

// moodleName returns the stage for a database type as named in Moodle's config.php.
func moodleName(name string) (string, bool) {
	switch name {
	case "pgsql", "postgresql":
		return "postgres", true
	case "mariadb", "mysqli", "auroramysql":
		return "mysql", true
	case "sqlite3":
		return "sqlite", true
	}
	return "", false
}

// stageNames returns the names of all stages, and the names that Moodle has for some.
func (l *loader) stageNames(installed []string) []string {
	known := append([]string{"pgsql", "postgresql", "mariadb", "mysqli", "auroramysql", "sqlite3"}, installed...)
	for _, s := range l.registry.All() {
		known = append(known, s.Name)
	}
	return known
}

func names(r *stage.Registry, role stage.Role) []string {
	var names []string
	for _, s := range r.All() {
		if s.CanStand(role) {
			names = append(names, s.Name)
		}
	}
	return names
}

func article(role stage.Role) string {
	if role == stage.RoleAction {
		return "an action"
	}
	return "a " + string(role)
}

// lists names the lists of a pipeline that have stages of a role.
func lists(role stage.Role) string {
	if role == stage.RoleAction {
		return "before or after"
	}
	return string(role)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
