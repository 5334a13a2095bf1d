package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Decoder decodes the nodes of one YAML file and records the references in them. It is
// not safe for concurrent use.
type Decoder struct {
	File   string // name of the file in positions
	Values Values
	used   map[string]bool
	// The values of references, and secrets. Messages of the decoder show none of them;
	// see Hidden for the values to redact later.
	referred []string // the values of all references
	secret   []string // the values of secrets
	foreign  []string // values of other settings from the environment or a file
	open     []string // values of open settings from the environment
	hidden   Redactor
}

// At is the position of a node.
func (d *Decoder) At(n *yaml.Node) Position {
	return Position{d.File, max(n.Line, 1), max(n.Column, 1)}
}

// Used returns the names of the ${NAME} references that were decoded, sorted.
func (d *Decoder) Used() []string {
	var names []string
	for name := range d.used {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Decode sets the settings of the structs that targets point to, first to their defaults
// and then from the mapping node, which has the keys of all targets. Paths become
// absolute; relative ones start at Values.Dir. Decode reports all problems and sets every
// setting without a warning or error.
func (d *Decoder) Decode(node *yaml.Node, targets ...any) Findings {
	return d.DecodeIn("", node, targets...).Findings
}

// Decoded is the result of DecodeIn.
type Decoded struct {
	Findings
	// At holds the positions of the values, by key: rules[2].table.
	At map[string]Position
	// Incomplete reports that values are missing, which is possible only with Values.Offline.
	Incomplete bool
}

// DecodeIn is like Decode for a node inside a file. path is the path of the node, such as
// source[0].with, for the findings.
func (d *Decoder) DecodeIn(path string, node *yaml.Node, targets ...any) Decoded {
	r := &run{Decoder: d, base: path, at: map[string]spot{}}
	top := level{node: Resolve(node)}
	var err error
	if top.settings, err = open(targets); err == nil {
		err = defaults(top.settings) // also if the node is not a mapping
	}
	if err != nil {
		r.report(Error, d.At(top.node), "", err.Error(), "")
		return r.decoded()
	}
	if !r.level(&top) {
		return r.decoded()
	}
	r.secrets(top.settings)
	if !r.incomplete && len(r.found.Of(Error)) == 0 {
		for _, err := range check(targets, top.settings) {
			r.invalid(top.node, err)
		}
	}
	return r.decoded()
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
	base       string          // the path of the outermost node in the file
	at         map[string]spot // of the existing values, by key
	found      Findings
	incomplete bool // a reference was not resolved (Offline)
	values     int  // number of decoded values
}

// spot is the position and the path of a value.
type spot struct {
	Position
	path string
}

// maxValues limits the values that one call decodes, because aliases can multiply them.
const maxValues = 1 << 17

// level is one mapping of settings.
type level struct {
	node     *yaml.Node
	settings []setting
	path     string // "" for the outermost
	depth    int
	there    map[string]Position // the settings in the mapping
}

// in returns the location of a level for messages, "" for the outermost.
func (l *level) in() string {
	if l.path == "" {
		return ""
	}
	return " in " + l.path
}

func (r *run) decoded() Decoded {
	at := map[string]Position{}
	for key, s := range r.at {
		at[key] = s.Position
	}
	return Decoded{r.found, at, r.incomplete}
}

func (r *run) report(s Severity, at Position, path, message, suggestion string) {
	if r.base != "" {
		path = strings.TrimSuffix(r.base+"."+path, ".")
	}
	r.found = append(r.found, Finding{Position: at, Severity: s, Message: message, Suggestion: suggestion, Path: path})
}

// level decodes a mapping. ok is false if the node is not a mapping.
func (r *run) level(l *level) (ok bool) {
	at := r.At(l.node)
	if l.node.Kind != yaml.MappingNode {
		message := "must be a mapping of settings (KEY: VALUE), not " + kindName(l.node)
		r.report(Error, at, l.path, strings.TrimPrefix(l.path+" ", " ")+message, l.spaceless(l.node))
		return false
	}
	if l.depth == maxDepth {
		r.report(Error, at, l.path, fmt.Sprintf("objects are nested deeper than %d", maxDepth), "")
		return false
	}
	if err := defaults(l.settings); err != nil {
		r.report(Error, at, l.path, err.Error(), "")
	}
	l.there = map[string]Position{}
	r.pairs(l)
	r.missing(l)
	for i := range l.settings { // a default is relative to the same directory
		if s := &l.settings[i]; s.isPath() {
			s.value.SetString(resolve(r.Values.Dir, s.value.String()))
		}
	}
	return true
}

func (r *run) pairs(l *level) {
	for i := 0; i+1 < len(l.node.Content); i += 2 {
		key, value := Resolve(l.node.Content[i]), Resolve(l.node.Content[i+1])
		where := r.At(l.node.Content[i])
		if !r.isKey(l, key, where) {
			continue
		}
		s := find(l.settings, key.Value)
		if s == nil {
			r.report(Error, where, l.path, "unknown key"+r.Shown(" ", key.Value, l.names()...)+l.in(), cmp.Or(l.spaceless(key), l.known(key.Value)))
			continue
		}
		if first, twice := l.there[s.Name]; twice {
			r.report(Error, where, s.path, fmt.Sprintf("duplicate key %q", s.Name), fmt.Sprintf("first defined on line %d; keep one", first.Line))
			continue
		}
		l.there[s.Name] = r.At(l.node.Content[i+1])
		r.at[s.key] = spot{l.there[s.Name], s.path}
		r.value(s, value, l.depth)
	}
}

// isKey reports whether a node can be a key.
func (r *run) isKey(l *level, key *yaml.Node, where Position) bool {
	switch {
	case key.Kind != yaml.ScalarNode:
		r.report(Error, where, l.path, "a key must be a name, not "+kindName(key), "")
	case key.ShortTag() == "!!merge" && find(l.settings, key.Value) == nil:
		r.report(Error, where, l.path, "merge keys (<<) are not supported", "write the keys out")
	default:
		return true
	}
	return false
}

// spaceless returns a suggestion if n is a key and a value without a space after the colon.
func (l *level) spaceless(n *yaml.Node) string {
	if name, _, ok := strings.Cut(n.Value, ":"); ok && n.Kind == yaml.ScalarNode && find(l.settings, name) != nil {
		return fmt.Sprintf("add a space after %s:", name)
	}
	return ""
}

// secrets adds the decoded secrets to the values that are hidden.
func (r *run) secrets(settings []setting) {
	found := secrets(settings)
	r.secret = append(r.secret, found...)
	r.hidden.Add(found...)
}

func (l *level) names() []string {
	var names []string
	for _, s := range l.settings {
		names = append(names, s.Name)
	}
	return names
}

func (l *level) known(key string) string {
	names := l.names()
	if near := Nearest(key, names); near != "" {
		return near
	}
	if len(names) == 0 {
		return "there are no settings here"
	}
	return "known keys are " + strings.Join(names, ", ")
}

func (r *run) missing(l *level) {
	for _, s := range l.settings {
		if _, there := l.there[s.Name]; there || !s.Required {
			continue
		}
		suggestion := fmt.Sprintf("write %s: %s", s.Name, cmp.Or(s.Example, "…"))
		if s.Type == Hidden && !strings.Contains(s.Example, "${") { // a secret doesn't belong into the file
			suggestion = fmt.Sprintf(`write %s: "${env:NAME}"`, s.Name)
			if s.Example != "" {
				suggestion += ", where NAME holds a value such as " + s.Example
			}
		}
		r.report(Error, r.At(l.node), s.path, fmt.Sprintf("%s is missing", s.path), suggestion)
	}
}
