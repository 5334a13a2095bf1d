package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/stage"
)

var plugins = check.Check{
	ID: "restore-plugins", Title: "Plugins", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelWarning, stage.LevelFail},
	Doc: `The plugins of the backup are compared with those in the target's code.

- A plugin whose code is older than in the backup fails.
- A plugin whose code is missing fails, unless ` + "`allow_missing_plugins`" + ` is set, which makes it a warning. Plugins that
  Moodle itself has removed are not missing; its upgrade uninstalls them.
- Newer and additional plugins are notes: Moodle's upgrade handles them.
- Plugins that are preserved in the target, and tool_vault, are left out.

Subplugins are listed below their plugins. The check is left out if the target's code is older than the backup.`,
	Remedy: "install the plugins with the versions of the backup or later ones, or set `allow_missing_plugins: true`.",
}

func checkPlugins(_ context.Context, s *subject) ([]stage.ActionFinding, error) {
	was, known := s.versions[component.Core]
	if !known || len(s.versions) == 1 {
		return []stage.ActionFinding{plugins.Finding(stage.LevelNote, "not compared: the backup does not record the versions of plugins")}, nil
	}
	if s.codeErr != nil {
		return nil, s.codeErr
	}
	if s.code.Version.Compare(was) < 0 {
		return []stage.ActionFinding{plugins.Finding(stage.LevelNote, "not compared: the target's code is older than the backup")}, nil
	}
	by := map[component.Change][]component.State{}
	for _, state := range s.code.Compare(s.versions) {
		if state.Component != component.Core && !s.leavesOut(state) {
			by[state.Change] = append(by[state.Change], state)
		}
	}
	var found []stage.ActionFinding
	add := func(change component.Change, level stage.Level, remedy, format string) {
		list := by[change]
		if len(list) == 0 {
			return
		}
		f := plugins.Finding(level, "%s: %s", fmt.Sprintf(format, count(len(list), "plugin")), names(list))
		f.Where, f.Remedy, f.Details = s.config.Dir, remedy, details(list)
		found = append(found, f)
	}
	missing := stage.LevelFail
	if s.AllowMissing {
		missing = stage.LevelWarning
	}
	add(component.Lower, stage.LevelFail, "install the versions of the backup or later ones", "the target has an older version of %s")
	add(component.Missing, missing, "install them, or set allow_missing_plugins: true", "the target lacks the code of %s")
	add(component.Unknown, stage.LevelWarning, "compare them by hand", "the version in the target's code is unknown of %s")
	add(component.Removed, stage.LevelNote, "", "Moodle no longer contains %s, which its upgrade uninstalls")
	add(component.Upgrade, stage.LevelNote, "", "Moodle's upgrade has to upgrade %s")
	add(component.Extra, stage.LevelNote, "", "the backup lacks %s of the target, which Moodle's upgrade installs")
	return found, nil
}

// leavesOut reports whether a plugin is not compared: it is preserved, or it is a
// subplugin of one that is.
func (s *subject) leavesOut(state component.State) bool {
	return state.Component == "tool_vault" || slices.Contains(s.Preserved, state.Component) || slices.Contains(s.Preserved, state.Parent)
}

// maxNames is the maximum number of names in the sentence of a finding.
const maxNames = 5

// names lists the first plugins.
func names(list []component.State) string {
	var all []string
	for _, s := range list[:min(len(list), maxNames)] {
		all = append(all, s.Component)
	}
	text := strings.Join(all, ", ")
	if more := len(list) - maxNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// details lists plugins with their versions, subplugins below their parents.
func details(list []component.State) string {
	var lines []string
	parent := ""
	for _, s := range list {
		indent := ""
		if s.Parent != "" {
			if s.Parent != parent && !slices.ContainsFunc(list, func(o component.State) bool { return o.Component == s.Parent }) {
				lines = append(lines, s.Parent+":")
			}
			parent, indent = s.Parent, "  "
		}
		text := indent + s.Component
		if !s.Database.IsZero() {
			text += ", backup " + s.Database.String()
		}
		if !s.Code.IsZero() {
			text += ", target " + s.Code.String()
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
