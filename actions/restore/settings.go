package restore

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/moodle/override"
	"github.com/lmsvault/vault/core/stage"
)

var settings = check.Check{
	ID: "restore-config", Title: "Settings in config.php", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelWarning},
	Doc: `Settings that the target's config.php forces win over those that are restored. They are listed without their
values. A part of config.php that cannot be evaluated, and may force more, is a warning.`,
	Remedy: "remove the settings from config.php to use those of the backup.",
}

func checkSettings(_ context.Context, s *subject) ([]stage.ActionFinding, error) {
	var backup moodle.Overrides
	if text := s.plan.Facts[moodle.OverridesFact]; text != "" {
		if err := json.Unmarshal([]byte(text), &backup); err != nil {
			return nil, err
		}
	}
	var found []stage.ActionFinding
	var names, lines []string
	anything := func(string, string) bool { return true } // what the backup has is known only while it is read
	for _, forced := range override.List(s.config.Site, anything) {
		if forced.Fate == override.Machine || same(backup, forced) {
			continue
		}
		names = append(names, forced.String())
		lines = append(lines, forced.Pos.String()+": "+forced.String())
	}
	if len(names) > 0 {
		slices.Sort(names)
		more := ""
		if len(names) > maxNames {
			names, more = names[:maxNames], " …"
		}
		f := settings.Finding(stage.LevelNote, "config.php of the target forces %s, whatever is restored: %s%s", count(len(lines), "setting"), strings.Join(names, ", "), more)
		f.Where, f.Details = s.config.File, strings.Join(lines, "\n")
		found = append(found, f)
	}
	if open := s.config.Forced().Open; open != nil {
		f := settings.Finding(stage.LevelWarning, "config.php of the target may force more settings, in a part that cannot be evaluated: %s", open.Problem)
		f.Where = open.Pos.String()
		found = append(found, f)
	}
	return found, nil
}

// same reports whether the backup has a setting with the forced value.
func same(backup moodle.Overrides, forced override.Setting) bool {
	text, known := forced.Text()
	if !known {
		return false
	}
	value, has := backup.Core[forced.Name]
	if forced.Plugin != "" {
		value, has = backup.Plugins[forced.Plugin][forced.Name]
	}
	return has && value == text
}
