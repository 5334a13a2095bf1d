package stagecmd

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
)

// PageName returns the file name of the documentation page of a stage.
func PageName(s stage.Stage) string { return string(s.Role) + "-" + s.Name + ".md" }

// Page returns the documentation of a stage as Markdown.
func Page(s stage.Stage) (string, error) {
	own, err := config.Describe(s.Config())
	if err != nil {
		return "", fmt.Errorf("stage %s: %w", s.Name, err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: `%s`\n\n%s\n", heading(s.Role), s.Name, sentence(s.Summary))
	if s.Doc != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(s.Doc))
	}
	if len(s.Parts) > 0 && s.Role != stage.RoleTransform {
		verb := "Gives"
		if s.Role != stage.RoleSource {
			verb = "Holds"
		}
		fmt.Fprintf(&b, "\n%s: `%s`.\n", verb, strings.Join(s.Parts, "`, `"))
	}
	if len(s.SecretFacts) > 0 {
		fmt.Fprintf(&b, "\nNeeds the secret facts of the site: `%s`.\n", strings.Join(s.SecretFacts, "`, `"))
	}
	all := own
	if s.Role == stage.RoleSink { // includes the settings that all sinks have
		if all, err = pipeline.Fields(s, s.Role); err != nil {
			return "", err
		}
	}
	if s.Expand != nil {
		fmt.Fprintf(&b, "\nThis is a composite: it expands to other stages, which `vault lint` and `vault plan` show.\n")
	}
	settings(&b, "Settings", all)
	if s.Role == stage.RoleStorage {
		more, err := config.Describe(&pipeline.SnapshotConfig{})
		if err != nil {
			return "", err
		}
		settings(&b, "As a source it takes also", more)
		if more, err = config.Describe(&pipeline.RepositoryConfig{}); err != nil {
			return "", err
		}
		settings(&b, "As a sink it takes also", more)
	}
	example(&b, s, own)
	fmt.Fprintf(&b, "\n*Generated from the stage's declaration by `go generate ./cmd/vault`; do not edit.*\n")
	return b.String(), nil
}

func heading(r stage.Role) string { return strings.ToUpper(string(r[:1])) + string(r[1:]) }

// sentence capitalizes a summary and adds a full stop.
func sentence(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(s[n:], ".") + "."
}

func settings(b *strings.Builder, title string, fields []config.Field) {
	if len(fields) == 0 {
		fmt.Fprintf(b, "\n## %s\n\nNone.\n", title)
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n| setting | value | |\n|---|---|---|\n", title)
	for _, f := range config.Flatten(fields) {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Path, cell(strings.Join(traits(f), ", ")), cell(f.Help))
	}
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "*", `\*`, "<", "&lt;").Replace(s)
}

func example(b *strings.Builder, s stage.Stage, fields []config.Field) {
	place := string(s.Role)
	switch s.Role {
	case stage.RoleStorage:
		place = string(stage.RoleSink)
	case stage.RoleAction:
		place = "before"
	}
	fmt.Fprintf(b, "\n## In a pipeline\n\n```yaml\n%s:\n  - use: %s\n", place, s.Name)
	with := "    with:\n"
	for _, f := range fields {
		value := f.Example
		switch {
		case f.Type == config.Hidden && !strings.Contains(value, "${"):
			value = "${env:SITE_" + strings.ToUpper(f.Name) + "}"
		case value == "" && f.Required:
			value = f.Default
		}
		if value == "" {
			continue
		}
		if f.Type == config.List && !strings.HasPrefix(value, "[") {
			value = fmt.Sprintf("[%q]", value)
		} else if f.Type == config.Text || f.Type == config.Hidden {
			value = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(b, "%s      %s: %s\n", with, f.Name, value)
		with = ""
	}
	fmt.Fprintf(b, "```\n")
}
