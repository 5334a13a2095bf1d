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

// Plain reports whether text is very unlikely to be a secret: a small number, or a path
// that begins with /, ./ or ../. A word is not plain, since it can be a passphrase.
func Plain(text string) bool {
	return len(text) <= 10 && plainNumber.MatchString(text) || len(text) <= 200 && wholePath.MatchString(text)
}

// Shown returns before followed by text in quotes. Messages must use it to show a value
// from a file. It returns "" if text could be a secret: if text came from a
// reference, or is neither Plain, nor one of Vault's keywords, nor a misspelling of a
// known name. The position of the message identifies the value then.
func (d *Decoder) Shown(before, text string, known ...string) string {
	if slices.Contains(d.referred, text) {
		return ""
	}
	return Shown(before, text, known...)
}

// Shown is like Decoder.Shown, for text that did not come from a reference.
func Shown(before, text string, known ...string) string {
	if !Plain(text) && !ownWord(text) && (!isName(text) || Nearest(text, known) == "") {
		return ""
	}
	return before + strconv.Quote(text)
}

// Redact replaces the values of references and of the file's secrets in text. Use it
// for messages that other packages made.
func (d *Decoder) Redact(text string) string { return d.hidden.Redact(text) }

// Hide adds secrets that are not in the file, such as those found by a composite stage.
func (d *Decoder) Hide(secrets ...string) {
	d.secret = append(d.secret, secrets...)
	d.hidden.Add(secrets...)
}

// Hidden returns the values that must not be shown once the configuration is in use:
// every secret, and every value that the environment or a file supplied to another
// setting, except the values of open settings.
func (d *Decoder) Hidden() []string {
	foreign := slices.DeleteFunc(slices.Clone(d.foreign), func(v string) bool { return slices.Contains(d.open, v) })
	return append(foreign, d.secret...)
}

// remember records the values of references so that messages do not show them.
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

// open reports whether the setting's value may be shown even if it comes from the
// environment: it is a name, or not a free-form string. Values from files are never open.
func (s *setting) open() bool {
	return s.Open || s.Place == "prefix" || len(s.OneOf) > 0 || s.Type == Number || s.Type == Bytes || s.Type == Span || s.Type == Switch
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// referenceName returns the form of a reference for messages: without its default, and
// without a name that could itself be a secret.
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

// referenceNames returns the forms for messages of all references in text.
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

// not returns ", not VALUE" for messages; VALUE is as written in the file, or a reference.
func (r *run) not(s *setting, written string) string {
	if s.Type == Hidden {
		return ""
	}
	if names := referenceNames(written); names != "" {
		return ", not the value of " + names
	}
	return r.Shown(", not ", written, s.OneOf...)
}
