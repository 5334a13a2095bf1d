package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	plainNumber = regexp.MustCompile(`^-?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|[KMGT]i?B)?)+$`)
	wholePath   = regexp.MustCompile(`^\.{0,2}/[A-Za-z0-9._/-]*$`)
)

// Plain reports whether text is very unlikely to be a secret: a small number, or a path that
// begins with /, ./ or ../. A word can be one.
func Plain(text string) bool {
	return len(text) <= 10 && plainNumber.MatchString(text) || len(text) <= 200 && wholePath.MatchString(text)
}

// Shown is the one way in which a message shows what somebody wrote: before, then
// text in quotes. It is "" where text could be a secret: it is not Plain, no word
// of Vault's own and no misspelling of a known name, or a reference stands for it. The
// message's position tells what is meant.
func (d *Decoder) Shown(before, text string, known ...string) string {
	if slices.Contains(d.referred, text) {
		return ""
	}
	return Shown(before, text, known...)
}

// Shown is Decoder.Shown for what no reference stands for.
func Shown(before, text string, known ...string) string {
	if !Plain(text) && !ownWord(text) && (!isName(text) || Nearest(text, known) == "") {
		return ""
	}
	return before + strconv.Quote(text)
}

// Redact hides in text what references stand for and what secrets of the file
// hold, for messages of others than this package.
func (d *Decoder) Redact(text string) string { return d.hidden.Redact(text) }

// Hide adds secrets that are not in the file, such as those a composite has found.
func (d *Decoder) Hide(secrets ...string) {
	d.secret = append(d.secret, secrets...)
	d.hidden.Add(secrets...)
}

// Hidden lists what must not be shown of a file's values once they are in use:
// every secret; and what came from the environment or a file into another setting,
// but for what open settings hold.
func (d *Decoder) Hidden() []string {
	foreign := slices.DeleteFunc(slices.Clone(d.foreign), func(v string) bool { return slices.Contains(d.open, v) })
	return append(foreign, d.secret...)
}

// remember keeps what a value with references stands for out of messages.
func (r *run) remember(s *setting, e expanded) {
	r.referred = append(append(r.referred, e.parts...), e.text)
	r.hidden.Add(append(e.parts, e.text)...)
	switch {
	case s.Type == Hidden:
		r.secret = append(append(r.secret, e.kept...), e.text)
	case s.open() && !e.fromFile:
		r.open = append(append(r.open, e.kept...), e.text)
	case len(e.kept) == 0:
	default:
		if !s.isPath() {
			r.foreign = append(r.foreign, e.text)
		}
		for _, part := range e.kept {
			if e.fromFile || !wholePath.MatchString(part) {
				r.foreign = append(r.foreign, part)
			}
		}
	}
}

// open tells whether values of the setting may be shown wherever they come from,
// other than from a file: those that name something, and those that are no texts.
func (s *setting) open() bool {
	return s.Open || s.Place == "prefix" || len(s.OneOf) > 0 || s.Type == Number || s.Type == Bytes || s.Type == Span || s.Type == Switch
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// referenceName is how a message shows a reference: without its default, and
// without a name that could be a secret itself.
func referenceName(reference string) string {
	if path, ok := strings.CutPrefix(reference, "file:"); ok {
		if Plain(path) {
			return "${file:" + path + "}"
		}
		return "${file:…}"
	}
	name, _, _ := strings.Cut(reference, ":-")
	kind, variable, hasKind := strings.Cut(name, ":")
	if !hasKind {
		kind, variable = "", name
	}
	switch {
	case hasKind && kind != "env" && kind != "file":
		return "${…}"
	case hasKind && (kind != "env" || !identifier.MatchString(variable)):
		return "${" + kind + ":…}"
	case hasKind:
		return "${env:" + variable + "}"
	case identifier.MatchString(variable):
		return "${" + variable + "}"
	}
	return "${…}"
}

// referenceNames are those of the references in a text.
func referenceNames(text string) string {
	var names []string
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			return strings.Join(names, " and ")
		}
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			return strings.Join(names, " and ")
		}
		if i == 0 || text[i-1] != '$' {
			names = append(names, referenceName(text[i+2:i+end]))
		}
		text = text[i+end+1:]
	}
}

// not says which value is meant: as it stands in the file, or by its reference.
func (r *run) not(s *setting, written string) string {
	if s.Type == Hidden {
		return ""
	}
	if names := referenceNames(written); names != "" {
		return ", not the value of " + names
	}
	return r.Shown(", not ", written, s.OneOf...)
}
