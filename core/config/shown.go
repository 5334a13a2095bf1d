package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Shown is the one way in which a message shows what somebody wrote: before, then
// text in quotes. It is "" where text could be a secret: where a reference stands
// for it, or it is not Plain. The message's position tells what is meant.
func (d *Decoder) Shown(before, text string) string {
	if !Plain(text) || slices.Contains(d.referred, text) {
		return ""
	}
	return before + strconv.Quote(text)
}

// Redact hides in text what references stand for and what secrets of the file
// hold, for messages of others than this package.
func (d *Decoder) Redact(text string) string { return d.hidden.Redact(text) }

// Hidden lists what must not be shown of a file's values once they are in use:
// secrets, and what came from the environment or from files, but for what is harmless.
func (d *Decoder) Hidden() []string {
	return slices.DeleteFunc(slices.Clone(d.kept), harmless)
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
	case hasKind && !Plain(kind):
		return "${…}"
	case hasKind && (kind != "env" || !identifier.MatchString(variable)):
		return "${" + kind + ":…}"
	case hasKind:
		return "${env:" + variable + "}"
	case identifier.MatchString(variable) || Plain(variable):
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
		return ", not what " + names + " stands for"
	}
	return r.Shown(", not ", written)
}
