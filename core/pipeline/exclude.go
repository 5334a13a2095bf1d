package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/selection"
	"github.com/lmsvault/vault/core/stage"
)

// Exclude returns the text of a pipeline file with these paths in a snapshot (db/TABLE,
// dataroot/PATH) added to its selection. Everything else stays as it is, with comments and
// layout. Paths that the file lists already are not added again.
func Exclude(text []byte, paths []string) ([]byte, error) {
	added := map[string][]string{}
	for _, path := range paths {
		key, item, check := "exclude_files", path, selection.CheckFiles
		if table, ok := strings.CutPrefix(path, stage.DB+"/"); ok {
			key, item, check = "exclude_tables", table, selection.CheckTables
		}
		if err := check(item); err != nil {
			return nil, failure.New(failure.Refused, "%s %w", path, err)
		}
		if !slices.Contains(added[key], item) {
			added[key] = append(added[key], item)
		}
	}
	before := text
	for _, key := range []string{"exclude_tables", "exclude_files"} {
		if err := add(&text, key, added[key]); err != nil {
			return nil, byHand(added, err)
		}
	}
	if err := verify(before, text, added); err != nil {
		return nil, byHand(added, err)
	}
	return text, nil
}

// byHand returns the error for a file with a layout that can't be edited.
func byHand(added map[string][]string, err error) error {
	var lines []string
	for _, key := range []string{"exclude_tables", "exclude_files"} {
		if len(added[key]) > 0 {
			lines = append(lines, "  "+key+": "+list(added[key]))
		}
	}
	return failure.New(failure.Refused, "the pipeline file cannot be edited: %w; add this to it:\nselect:\n%s", err, strings.Join(lines, "\n"))
}

// add adds items to a list below select.
func add(text *[]byte, key string, items []string) error {
	if len(items) == 0 {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(*text, &doc); err != nil {
		return err
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return fmt.Errorf("it is not a mapping")
	}
	root, e := doc.Content[0], &editor{text: *text}
	err := e.add(root, key, items)
	*text = e.text
	return err
}

// editor inserts text into a YAML file.
type editor struct{ text []byte }

func (e *editor) add(root *yaml.Node, key string, items []string) error {
	selectKey, selected := child(root, "select")
	switch {
	case selectKey == nil && flow(root):
		return e.insertFirst(root, "select: {"+key+": "+list(items)+"}")
	case selectKey == nil:
		return e.appendLines("select:", "  "+key+": "+list(items))
	case isNull(selected):
		return e.setNull(selectKey, selected, "{"+key+": "+list(items)+"}")
	case selected.Kind != yaml.MappingNode:
		return fmt.Errorf("select on line %d is an alias or not a mapping", selectKey.Line)
	}
	at, value := child(selected, key)
	switch {
	case at == nil && flow(selected):
		return e.insertFirst(selected, key+": "+list(items))
	case at == nil:
		return e.insertLines(selectKey.Line, strings.Repeat(" ", selected.Content[0].Column-1)+key+": "+list(items))
	case isNull(value):
		return e.setNull(at, value, list(items))
	case value.Kind != yaml.SequenceNode:
		return fmt.Errorf("%s on line %d is an alias or not a list", key, at.Line)
	}
	items = slices.DeleteFunc(slices.Clone(items), func(item string) bool {
		return slices.ContainsFunc(value.Content, func(n *yaml.Node) bool { return n.Value == item })
	})
	switch {
	case len(items) == 0:
		return nil
	case flow(value):
		return e.insertFirst(value, strings.Trim(list(items), "[]"))
	}
	return e.insertItems(at.Line, items)
}

// child returns the key and the value of a mapping.
func child(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}

func flow(n *yaml.Node) bool { return n.Style&yaml.FlowStyle != 0 || len(n.Content) == 0 }

// list returns a list of texts in flow style.
func list(items []string) string {
	var all []string
	for _, item := range items {
		all = append(all, scalar(item))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

var plainScalar = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*$`)

// scalar returns a text as YAML, in which ${ does not begin a reference.
func scalar(text string) string {
	text = strings.ReplaceAll(text, "${", "$${")
	var is any
	if err := yaml.Unmarshal([]byte(text), &is); err == nil && is == text && plainScalar.MatchString(text) {
		return text
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	if err := out.Encode(text); err != nil {
		return fmt.Sprintf("%q", text)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// lineStart returns the offset of a line, counted from 1.
func (e *editor) lineStart(line int) int {
	at := 0
	for range line - 1 {
		n := bytes.IndexByte(e.text[at:], '\n')
		if n < 0 {
			return len(e.text)
		}
		at += n + 1
	}
	return at
}

// offset returns the offset of a position, with the column in characters from 1.
func (e *editor) offset(line, column int) int {
	at := e.lineStart(line)
	for range column - 1 {
		_, size := utf8.DecodeRune(e.text[at:])
		at += size
	}
	return at
}

func (e *editor) insert(at int, text string) {
	e.text = slices.Concat(e.text[:at], []byte(text), e.text[at:])
}

// ending returns the line break of the file.
func (e *editor) ending() string {
	if bytes.Contains(e.text, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// insertFirst inserts text as the first member of a list or mapping in flow style.
func (e *editor) insertFirst(n *yaml.Node, text string) error {
	at := e.offset(n.Line, n.Column)
	if at >= len(e.text) || e.text[at] != '[' && e.text[at] != '{' {
		return fmt.Errorf("the layout of line %d is not supported", n.Line)
	}
	if len(n.Content) > 0 {
		text += ", "
	}
	e.insert(at+1, text)
	return nil
}

// insertLines inserts lines after a line.
func (e *editor) insertLines(after int, lines ...string) error {
	at := e.lineStart(after + 1)
	text := strings.Join(lines, e.ending()) + e.ending()
	if at == len(e.text) && at > 0 && e.text[at-1] != '\n' {
		text = e.ending() + text
	}
	e.insert(at, text)
	return nil
}

func (e *editor) appendLines(lines ...string) error {
	return e.insertLines(bytes.Count(e.text, []byte("\n"))+1, lines...)
}

// insertItems inserts items before the first one of a list that begins after a line.
func (e *editor) insertItems(after int, items []string) error {
	for n, line := range strings.Split(string(e.text[e.lineStart(after+1):]), "\n") {
		rest := strings.TrimLeft(line, " ")
		if rest == "" || strings.HasPrefix(rest, "#") || rest == "\r" {
			continue
		}
		if !strings.HasPrefix(rest, "-") {
			return fmt.Errorf("the layout of line %d is not supported", after+1+n)
		}
		var lines []string
		for _, item := range items {
			lines = append(lines, line[:len(line)-len(rest)]+"- "+scalar(item))
		}
		return e.insertLines(after, lines...)
	}
	return fmt.Errorf("the layout of line %d is not supported", after)
}

// setNull sets the value of a key that has none.
func (e *editor) setNull(key, value *yaml.Node, text string) error {
	if value.Value != "" { // null or ~
		at := e.offset(value.Line, value.Column)
		if !bytes.HasPrefix(e.text[at:], []byte(value.Value)) {
			return fmt.Errorf("the layout of line %d is not supported", value.Line)
		}
		e.text = slices.Concat(e.text[:at], []byte(text), e.text[at+len(value.Value):])
		return nil
	}
	at := e.offset(key.Line, key.Column)
	colon := bytes.IndexByte(e.text[at:], ':')
	if colon < 0 {
		return fmt.Errorf("the layout of line %d is not supported", key.Line)
	}
	e.insert(at+colon+1, " "+text)
	return nil
}

// verify checks that the edited file has the same content, apart from what was added.
func verify(before, after []byte, added map[string][]string) error {
	var old, edited map[string]any
	if err := yaml.Unmarshal(before, &old); err != nil {
		return err
	}
	if err := yaml.Unmarshal(after, &edited); err != nil {
		return fmt.Errorf("the edited file would be wrong: %w", err)
	}
	was, _ := old["select"].(map[string]any)
	is, _ := edited["select"].(map[string]any)
	rest := func(m map[string]any, skip ...string) map[string]any {
		other := map[string]any{}
		for key, value := range m {
			if !slices.Contains(skip, key) {
				other[key] = value
			}
		}
		return other
	}
	same := reflect.DeepEqual(rest(old, "select"), rest(edited, "select")) && reflect.DeepEqual(rest(was, "exclude_tables", "exclude_files"), rest(is, "exclude_tables", "exclude_files"))
	for _, key := range []string{"exclude_tables", "exclude_files"} {
		had, _ := was[key].([]any)
		has, _ := is[key].([]any)
		wanted := map[any]bool{}
		for _, item := range had {
			wanted[item] = true
		}
		for _, item := range added[key] {
			wanted[strings.ReplaceAll(item, "${", "$${")] = true
		}
		for _, item := range has {
			same = same && wanted[item]
			delete(wanted, item)
		}
		same = same && len(wanted) == 0
	}
	if !same {
		return fmt.Errorf("its layout is not supported")
	}
	return nil
}
