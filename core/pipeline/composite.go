package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
)

// Composite is a step of the file that was expanded to other steps.
type Composite struct {
	Name  string          `json:"name"` // name of the stage, with a number if it is used several times
	Role  stage.Role      `json:"role"`
	At    config.Position `json:"at"`
	Parts []string        `json:"parts"` // each as NAME (STAGE)
	// Transforms are its transforms of rows, each as NAME (STAGE).
	Transforms []string `json:"transforms,omitempty"`
	// Before and After are its actions, each as NAME (STAGE).
	Before []string `json:"before,omitempty"`
	After  []string `json:"after,omitempty"`
	// Notes are those of the expansion.
	Notes []stage.Note `json:"notes,omitempty"`
}

// String lists the stages of the composite.
func (c *Composite) String() string {
	text := "expands to " + strings.Join(c.Parts, ", ")
	if len(c.Transforms) > 0 {
		text += "; transforms: " + strings.Join(c.Transforms, ", ")
	}
	if len(c.Before) > 0 {
		text += "; before: " + strings.Join(c.Before, ", ")
	}
	if len(c.After) > 0 {
		text += "; after: " + strings.Join(c.After, ", ")
	}
	return text
}

// Expanded returns a note for each composite with its stages, followed by its own notes.
func (p *Pipeline) Expanded() []stage.Note {
	var notes []stage.Note
	for _, c := range p.Composites {
		notes = append(append(notes, stage.Note{Path: c.Name, Text: c.String()}), c.Notes...)
	}
	return notes
}

// expand returns the steps of a composite. found is the result of decoding its settings.
func (l *loader) expand(s *Step, found config.Decoded) (parts []Step, ok bool) {
	if len(found.Of(config.Error)) > 0 {
		return nil, false
	}
	name := s.Stage.Name
	if found.Incomplete {
		l.report(config.Note, s.At, "", "%s cannot be expanded because values are missing", name)
		return nil, false
	}
	lookup := l.decoder.Values.Env
	if lookup == nil {
		lookup = os.LookupEnv
	}
	e, err := s.Stage.Expand(l.ctx, s.Config, stage.ExpandEnv{Lookup: lookup, Dir: l.base, Online: l.online, AllowRestore: l.allowRestore})
	if err != nil {
		l.unexpanded(s, err)
		return nil, false
	}
	c := Composite{Name: l.composite(name), Role: s.Role, At: s.At}
	parts, ok = l.parts(s, c.Name, s.Role, e.Parts, nil, "")
	if len(e.Parts) == 0 {
		l.fail(s.At, "", "%s expands to no stages", name)
		ok = false
	}
	transforms, okTransforms := l.parts(s, c.Name, stage.RoleTransform, e.Transforms, nil, "")
	start, success := string(stage.MomentStart), WhenSuccess
	before, okBefore := l.parts(s, c.Name, stage.RoleAction, e.Before, []string{start, string(stage.MomentPlanned)}, start)
	after, okAfter := l.parts(s, c.Name, stage.RoleAction, e.After, []string{success, WhenFailure, WhenAlways}, success)
	l.selected(s, e)
	if !ok || !okTransforms || !okBefore || !okAfter {
		return nil, false
	}
	if s.Role == stage.RoleSource {
		l.brought.transforms = append(l.brought.transforms, transforms...)
	} else if len(transforms) > 0 && !withTransforms(parts, transforms) {
		l.fail(s.At, "", "%s expands to transforms of rows, but none of its parts holds tables", name)
		return nil, false
	}
	l.brought.before = append(l.brought.before, before...)
	l.brought.after = append(slices.Clone(after), l.brought.after...)
	c.Parts, c.Transforms, c.Before, c.After = called(parts), called(transforms), called(before), called(after)
	for _, n := range e.Notes {
		c.Notes = append(c.Notes, stage.Note{Path: n.Path, Text: l.decoder.Redact(n.Text)})
	}
	l.pipeline.Composites = append(l.pipeline.Composites, c)
	l.report(config.Note, s.At, "", "%s %s", c.Name, c.String())
	for _, n := range c.Notes {
		l.report(config.Note, s.At, "", "%s: %s", c.Name, n.Text)
	}
	return parts, true
}

// withTransforms adds transforms to the parts of a sink that hold tables. It reports
// whether there are any.
func withTransforms(parts, transforms []Step) (any bool) {
	for i := range parts {
		if slices.Contains(parts[i].Stage.Parts, stage.DB) {
			parts[i].Rows, any = transforms, true
		}
	}
	return any
}

// unexpanded reports why a composite can't be expanded. For a linter, which may run on
// another machine, it is a warning.
func (l *loader) unexpanded(s *Step, err error) {
	severity := config.Error
	if l.decoder.Values.Offline {
		severity = config.Warning
	}
	for _, one := range config.Split(err) {
		at := s.At
		if key, ok := config.KeyOf(one); ok {
			if there, ok := s.keys[key]; ok {
				at = there
			}
		}
		l.report(severity, at, "", "%s: %s", s.Stage.Name, l.decoder.Redact(one.Error()))
	}
}

// composite returns a unique name for a composite of a stage.
func (l *loader) composite(name string) string {
	next := name
	for i := 2; slices.ContainsFunc(l.pipeline.Composites, func(c Composite) bool { return c.Name == next }); i++ {
		next = fmt.Sprintf("%s %d", name, i)
	}
	return next
}

// selected adds the selection of a composite.
func (l *loader) selected(s *Step, e *stage.Expansion) {
	if err := errors.Join(e.Selection.Validate(), e.Standing.Validate()); err != nil {
		l.fail(s.At, "", "%s: its selection: %s", s.Stage.Name, l.decoder.Redact(err.Error()))
		return
	}
	l.pipeline.Selection.Add(e.Selection)
	l.pipeline.Selection.Add(e.Standing)
	l.pipeline.Standing.Add(e.Standing)
}

func called(steps []Step) []string {
	var names []string
	for _, s := range steps {
		if s.Name == s.Stage.Name {
			names = append(names, s.Name)
			continue
		}
		names = append(names, fmt.Sprintf("%s (%s)", s.Name, s.Stage.Name))
	}
	return names
}

// parts returns the steps of a composite's parts. Findings about a part are reported at the
// composite and name both.
func (l *loader) parts(c *Step, of string, role stage.Role, parts []stage.Part, whens []string, usual string) (steps []Step, ok bool) {
	ok = true
	for i, p := range parts {
		before := len(l.found)
		s := Step{Role: role, Name: p.Name, Of: of, When: cmp.Or(p.When, usual), At: c.At, node: c.node}
		switch {
		case !goodName.MatchString(p.Name):
			l.fail(c.At, "", "name must consist of a-z, 0-9 and -, and begin with a letter")
		case slices.ContainsFunc(parts[:i], func(other stage.Part) bool { return other.Name == p.Name }):
			l.fail(c.At, "", "another part has the same name")
		case p.When != "" && !slices.Contains(whens, p.When):
			l.fail(c.At, "", "when is %q, but must be one of %s", p.When, strings.Join(whens, ", "))
		case isPath(p.Use):
			l.fail(c.At, "", "a part must name a stage, not the path of a program")
		default:
			l.part(c, &s, p)
		}
		for i := range l.found[before:] {
			f := &l.found[before+i]
			f.Position, f.Path, f.Message = c.At, c.node, fmt.Sprintf("%s/%s: %s", of, p.Name, f.Message)
		}
		if ok = ok && len(l.found[before:].Of(config.Error)) == 0; ok {
			steps = append(steps, s)
		}
	}
	return steps, ok
}

// part sets the stage and the settings of a part.
func (l *loader) part(c, s *Step, p stage.Part) {
	at := maps.Clone(c.processAt)
	if at == nil {
		at = map[string]config.Position{}
	}
	at["use"] = c.At
	var ok bool
	if s.Stage, ok = l.find(s.Role, &use{Use: p.Use, process: c.process}, c.node+" "+p.Name, at); !ok {
		return
	}
	if s.storage() || s.Stage.Expand != nil {
		l.fail(c.At, "", "%s cannot be a part: it is a storage or a composite", p.Use)
		return
	}
	if s.Role == stage.RoleTransform && s.Stage.NewRecord == nil {
		l.fail(c.At, "", "%s cannot be a part: it does not transform rows", p.Use)
		return
	}
	s.Config = s.Stage.Config()
	targets, values := []any{s.Config}, maps.Clone(p.Settings)
	if values == nil {
		values = map[string]any{}
	}
	if s.Role == stage.RoleSink && !replaces(s.Config) {
		s.Onto = &TargetConfig{}
		targets = append(targets, s.Onto)
		c.inherit(values)
	}
	for _, err := range config.Split(config.AssignValues(values, targets...)) {
		l.fail(c.At, "", "%s", l.decoder.Redact(err.Error()))
	}
	if secrets, err := config.Secrets(s.Config); err == nil {
		l.decoder.Hide(secrets...)
	}
	var err error
	if s.places, err = config.Places(s.Config); err != nil {
		l.fail(c.At, "", "%v", err)
	}
	for _, place := range []string{"dir", "file"} {
		if path := s.places[place]; path.Value != "" && !filepath.IsAbs(path.Value) {
			l.fail(c.At, "", "%s is not an absolute path", path.Key)
		}
	}
}

// inherit adds the composite's replace and preserve to the settings of a part, unless they
// are set.
func (s *Step) inherit(values map[string]any) {
	if s.Onto == nil {
		return
	}
	if _, own := values["replace"]; !own {
		values["replace"] = s.Onto.Replace
	}
	if _, own := values["preserve"]; !own && len(s.Onto.Preserve) > 0 {
		values["preserve"] = s.Onto.Preserve
	}
}
