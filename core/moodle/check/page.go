package check

import (
	"fmt"
	"strings"
)

// Group is the checks of one action, for the documentation.
type Group struct {
	Title  string // heading, such as "Before a backup"
	Doc    string // when they run, as Markdown
	Checks []Check
}

// Page returns the documentation of checks as Markdown.
func Page(groups []Group) string {
	var b strings.Builder
	b.WriteString("# Checks\n\n" + strings.TrimSpace(about) + "\n")
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| check | levels |\n|---|---|\n", g.Title, strings.TrimSpace(g.Doc))
		for _, c := range g.Checks {
			fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", c.ID, c.ID, c.levels())
		}
		for _, c := range g.Checks {
			fmt.Fprintf(&b, "\n### %s\n\n**%s** (%s)\n\n%s\n", c.ID, c.Title, c.levels(), strings.TrimSpace(c.Doc))
			if c.Remedy != "" {
				fmt.Fprintf(&b, "\nWhat to do: %s\n", strings.TrimSpace(c.Remedy))
			}
		}
	}
	b.WriteString("\n*Generated from the checks by `go generate ./cmd/vault`; do not edit.*\n")
	return b.String()
}

func (c Check) levels() string {
	var all []string
	for _, l := range c.Levels {
		all = append(all, string(l))
	}
	return strings.Join(all, ", ")
}

const about = `
` + "`vault check PIPELINE`" + ` performs all checks of a pipeline and changes nothing. ` + "`vault run`" + ` performs them
again before it writes anything.

| level | meaning |
|---|---|
| ok | checked, no problem |
| note | information; nothing to do |
| warning | a possible problem; the run continues |
| fail | the run is refused |

A check that could not be performed is a warning that says why. A finding is named by its check, and by what it
concerns: ` + "`database-modifications:mdl_log`" + `.
`
