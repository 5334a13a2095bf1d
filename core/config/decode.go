package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Decoder decodes the nodes of one YAML file and remembers what their
// references used. Not safe for concurrent use.
type Decoder struct {
	File   string // its name, for positions
	Values Values
	used   map[string]bool
	// What references stood for, and secrets: messages of the decoder show none of
	// it (hidden). For what they show once the values are in use, see Hidden.
	referred []string // all of it that references stood for
	secret   []string // what secrets hold
	foreign  []string // what other settings got from the environment or a file
	open     []string // what open settings got from the environment
	hidden   Redactor
}

// At is the position of a node.
func (d *Decoder) At(n *yaml.Node) Position {
	return Position{d.File, max(n.Line, 1), max(n.Column, 1)}
}

// Used tells the names of the references ${NAME} that were met.
func (d *Decoder) Used() []string {
	var names []string
	for name := range d.used {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Decode sets the settings of the structs that targets point to, all of them
// keys of the one mapping node, after giving them their defaults. Paths become
// absolute: relative ones begin in Values.Dir. It reports everything that is wrong. What no warning or error is about is set.
func (d *Decoder) Decode(node *yaml.Node, targets ...any) Findings {
	r := &run{Decoder: d, node: Resolve(node), at: map[string]Position{}}
	var err error
	if r.settings, err = open(targets); err == nil {
		err = defaults(r.settings)
	}
	if err != nil {
		r.report(Error, d.At(r.node), err.Error(), "")
		return r.found
	}
	if r.node.Kind != yaml.MappingNode {
		r.report(Error, d.At(r.node), "must be settings, each as KEY: VALUE, not "+kindName(r.node), r.spaceless(r.node))
		return r.found
	}
	r.pairs()
	r.missing()
	for i := range r.settings { // a default is relative to the same directory
		if s := &r.settings[i]; s.isPath() {
			s.value.SetString(resolve(d.Values.Dir, s.value.String()))
		}
	}
	r.secrets()
	if !r.incomplete && len(r.found.Of(Error)) == 0 {
		for _, t := range targets {
			if v, ok := t.(interface{ Validate() error }); ok {
				r.invalid(v.Validate())
			}
		}
	}
	return r.found
}

// Resolve follows aliases.
func Resolve(n *yaml.Node) *yaml.Node {
	for range 8 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			break
		}
		n = n.Alias
	}
	return n
}

// run is one call of Decode.
type run struct {
	*Decoder
	node       *yaml.Node
	settings   []setting
	at         map[string]Position // of the values that are there
	found      Findings
	incomplete bool // a reference is unknown: offline
}

func (r *run) report(s Severity, at Position, message, suggestion string) {
	r.found = append(r.found, Finding{at, s, message, suggestion})
}

func (r *run) pairs() {
	for i := 0; i+1 < len(r.node.Content); i += 2 {
		key, value := Resolve(r.node.Content[i]), Resolve(r.node.Content[i+1])
		where := r.At(r.node.Content[i])
		if key.Kind != yaml.ScalarNode {
			r.report(Error, where, "a key must be a name, not "+kindName(key), "")
			continue
		}
		s := find(r.settings, key.Value)
		if s == nil && key.ShortTag() == "!!merge" {
			r.report(Error, where, "merge keys (<<) are not supported", "write the keys themselves")
			continue
		}
		if s == nil {
			r.report(Error, where, "unknown key"+r.Shown(" ", key.Value, r.names()...), cmp.Or(r.spaceless(key), r.known(key.Value)))
			continue
		}
		if first, twice := r.at[s.Name]; twice {
			r.report(Error, where, fmt.Sprintf("key %q is there twice", s.Name), fmt.Sprintf("the first is in line %d; keep one", first.Line))
			continue
		}
		r.at[s.Name] = r.At(r.node.Content[i+1])
		r.value(s, value)
	}
}

// spaceless finds a key with its value where the space after the colon is missing.
func (r *run) spaceless(n *yaml.Node) string {
	if name, _, ok := strings.Cut(n.Value, ":"); ok && n.Kind == yaml.ScalarNode && find(r.settings, name) != nil {
		return fmt.Sprintf("write a space after %s:", name)
	}
	return ""
}

// secrets hides the secrets that were decoded from now on.
func (r *run) secrets() {
	found := secrets(r.settings)
	r.secret = append(r.secret, found...)
	r.hidden.Add(found...)
}

func (r *run) names() []string {
	var names []string
	for _, s := range r.settings {
		names = append(names, s.Name)
	}
	return names
}

func (r *run) known(key string) string {
	names := r.names()
	if near := Nearest(key, names); near != "" {
		return near
	}
	if len(names) == 0 {
		return "there are no settings here"
	}
	return "known are " + strings.Join(names, ", ")
}

func (r *run) missing() {
	for _, s := range r.settings {
		if _, there := r.at[s.Name]; there || !s.Required {
			continue
		}
		suggestion := fmt.Sprintf("write %s: %s", s.Name, cmp.Or(s.Example, "…"))
		if s.Type == Hidden && !strings.Contains(s.Example, "${") { // a secret doesn't belong into the file
			suggestion = fmt.Sprintf(`write %s: "${env:NAME}"`, s.Name)
			if s.Example != "" {
				suggestion += ", for a variable such as " + s.Example
			}
		}
		r.report(Error, r.At(r.node), fmt.Sprintf("%s is missing", s.Name), suggestion)
	}
}
