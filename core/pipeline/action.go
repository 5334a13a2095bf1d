package pipeline

import (
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// Values of when in after. Those of when in before are stage.MomentStart and
// stage.MomentPlanned.
const (
	WhenSuccess = "success"
	WhenFailure = "failure"
	WhenAlways  = "always"
)

// Moment returns when an action runs.
func (s *Step) Moment() stage.Moment {
	switch s.When {
	case string(stage.MomentStart), string(stage.MomentPlanned):
		return stage.Moment(s.When)
	}
	return stage.MomentAfter
}

// actionName holds the key name of an action.
type actionName struct {
	Name string `key:"name" open:"true" help:"name of the action in messages and results; default: the name of the stage" example:"maintenance-on"`
}

var goodName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// Validate checks the name.
func (a *actionName) Validate() error {
	if a.Name != "" && !goodName.MatchString(a.Name) {
		return config.At("name", "name must consist of at most 40 characters a-z, 0-9 and -, and begin with a letter")
	}
	return nil
}

// beforeKeys are the keys of an item of before, besides use and with.
type beforeKeys struct {
	actionName
	When string `key:"when" default:"start" oneof:"start planned" help:"start: before the site is read, for example to enable maintenance mode; planned: after planning, before anything is written"`
}

// afterKeys are the keys of an item of after, besides use and with.
type afterKeys struct {
	actionName
	When string `key:"when" default:"success" oneof:"success failure always" help:"run the action after: success, failure (including a run with a partial result, a refused or an interrupted one), or always"`
}

// actions reads before and after and adds the actions of composites: after those of before,
// and before those of after.
func (l *loader) actions(doc *document) {
	p := l.pipeline
	before := l.actionList("before", &doc.Before)
	p.Before = append(before, l.brought.before...)
	p.After = append(l.brought.after, l.actionList("after", &doc.After)...)
	seen := map[string]config.Position{}
	for _, s := range append(p.Before[:len(p.Before):len(p.Before)], p.After...) {
		if first, twice := seen[s.Label()]; twice {
			l.fail(s.At, "give each action its own name", "duplicate action name, first used on line %d", first.Line)
		}
		seen[s.Label()] = s.At
	}
}

func (l *loader) actionList(list string, n *yaml.Node) []Step {
	n = config.Resolve(n)
	if n.IsZero() || isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		l.fail(l.decoder.At(n), "write "+list+": and below it - use: NAME", "%s must be a list of actions", list)
		return nil
	}
	var steps []Step
	for i, item := range n.Content {
		var before beforeKeys
		var after afterKeys
		var keys any = &before
		if list == "after" {
			keys = &after
		}
		s, with, ok := l.located(stage.RoleAction, list, i, item, keys)
		if !ok {
			continue
		}
		if s.Name, s.When = before.Name, before.When; list == "after" {
			s.Name, s.When = after.Name, after.When
		}
		if s.Name == "" {
			s.Name = s.Stage.Name
		}
		l.settings(&s, with)
		steps = append(steps, s)
	}
	return steps
}
