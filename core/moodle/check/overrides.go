package check

import (
	"github.com/lmsvault/vault/core/moodle/override"
	"github.com/lmsvault/vault/core/stage"
)

// ConfigOverrides is the check that lists which settings of config.php a backup has.
func ConfigOverrides() Check {
	return Check{
		ID: "config-overrides", Title: "Settings in config.php", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelWarning},
		Doc: `Lists the settings of Moodle and its plugins that config.php forces, and whether the backup has their values. A
setting is part of the backup if the database has a setting of that name, which a restore then sets. Values of other
settings stay in config.php. A **warning** is a setting that the database has and whose value cannot be stored there: an
array, or a value that cannot be determined without PHP. Values are never printed. Needs the site's code.`,
		Remedy: `copy settings that the backup does not have into the config.php of the restored site, if they apply there.`,
	}
}

// Overrides returns the findings of the check ConfigOverrides. open says why config.php may
// force further settings, "" if it can't.
func Overrides(list []override.Setting, open string) []stage.ActionFinding {
	c := ConfigOverrides()
	var found []stage.ActionFinding
	for _, s := range list {
		var f stage.ActionFinding
		switch s.Fate {
		case override.Carried:
			f = c.Finding(stage.LevelNote, "%s is part of the backup, with the value of config.php", s)
		case override.Array, override.Null, override.Unknown:
			f = c.Finding(stage.LevelWarning, "%s is not part of the backup: %s (value hidden)", s, s.Fate)
			f.Remedy = "set it in the config.php of the restored site"
		default:
			f = c.Finding(stage.LevelNote, "%s is not part of the backup: %s (value hidden)", s, s.Fate)
		}
		f.Where = s.String()
		found = append(found, f)
	}
	if open != "" {
		f := c.Finding(stage.LevelWarning, "config.php may force further settings: %s", open)
		f.Remedy = "compare the config.php of the restored site with this one"
		found = append(found, f)
	}
	return found
}
