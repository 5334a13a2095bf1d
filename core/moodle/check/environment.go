package check

import "github.com/lmsvault/vault/core/stage"

// Environment is the check that shows the versions of what the site consists of.
func Environment() Check {
	return Check{
		ID: "environment", Title: "Environment", Levels: []stage.Level{stage.LevelNote, stage.LevelWarning},
		Doc: `Shows the Moodle release and branch, the version of the database server, and of PHP if it is installed here, which
Vault does not need. Files of the code that could not be read or understood are a **warning**.`,
	}
}

// Environ is what Environment examines. Texts are "" if they are unknown.
type Environ struct {
	Release, Branch string   // of the code: 4.5.6 (Build: 20250811), 405
	Installed       string   // the release in the database
	Database        string   // MariaDB 10.11.19
	PHP             string   // 8.2.1
	Problems        []string // of the code
}

// Findings returns the findings of the check Environment.
func (e Environ) Findings() []stage.ActionFinding {
	c := Environment()
	var found []stage.ActionFinding
	switch {
	case e.Release != "":
		found = append(found, c.Finding(stage.LevelNote, "Moodle %s, branch %s", e.Release, e.Branch))
	case e.Installed != "":
		found = append(found, c.Finding(stage.LevelNote, "Moodle %s, according to the database; the code is not given", e.Installed))
	}
	for _, line := range []struct{ name, version string }{{"", e.Database}, {"PHP ", e.PHP}} {
		if line.version != "" {
			found = append(found, c.Finding(stage.LevelNote, "%s%s", line.name, line.version))
		}
	}
	if len(e.Problems) > 0 {
		f := c.Finding(stage.LevelWarning, "the code has files that are missing or could not be understood: %d problems", len(e.Problems))
		if len(e.Problems) == 1 {
			f.What = "the code has a file that is missing or could not be understood"
		}
		f.Details, f.Remedy = Lines(e.Problems), "restore these files from the distribution of Moodle or of the plugin"
		found = append(found, f)
	}
	return found
}
