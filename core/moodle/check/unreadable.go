package check

import (
	"fmt"

	"github.com/lmsvault/vault/core/stage"
)

// UnreadablePaths is the check that every file can be read.
func UnreadablePaths() Check {
	return Check{
		ID: "unreadable-paths", Title: "Unreadable files and directories", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelFail},
		Doc: `Looks for files and directories in the file pool and the data root that the user who runs Vault may not read. They
are losses of kind unreadable_file. The check **fails** if the pipeline does not accept as many. What backups and the
pipeline exclude is left out.`,
		Remedy: `run Vault as root or as the user of the web server, change the permissions, or exclude the path. To continue
without them: ` + "`--accept-loss unreadable_file=COUNT`" + `.`,
	}
}

// Unreadable lists what can't be read below one directory.
type Unreadable struct {
	Part  string   // stage.Filedir or stage.Dataroot
	Dir   string   // the directory
	Paths []string // relative to Dir, some of them
	Count int64    // of all
	Err   error    // why the directory itself could not be read; nil if it could
}

// Findings returns the findings of the check UnreadablePaths. accepted is the number of
// unreadable files that the pipeline accepts.
func (u Unreadable) Findings(accepted int64) []stage.ActionFinding {
	c := UnreadablePaths()
	if u.Err != nil {
		f := c.Finding(stage.LevelFail, "the directory of %s cannot be read: %v", u.Part, u.Err)
		f.Where, f.Remedy = u.Dir, "check the path and its permissions, and that the disk is mounted"
		return []stage.ActionFinding{f}
	}
	level, remedy := stage.LevelFail, "run Vault as root or as the user of the web server, change the permissions, or exclude it"
	if u.Count <= accepted {
		level, remedy = stage.LevelNote, ""
	}
	var found []stage.ActionFinding
	for _, path := range u.Paths {
		f := c.Finding(level, "cannot be read")
		f.Where, f.Remedy, f.Exclude = u.Part+"/"+path, remedy, []string{u.Part + "/" + path}
		found = append(found, f)
	}
	if more := u.Count - int64(len(u.Paths)); more > 0 {
		f := c.Finding(level, "%d more files and directories cannot be read", more)
		f.Where, f.Remedy = u.Part, remedy
		found = append(found, f)
	}
	if level == stage.LevelFail && accepted > 0 && len(found) > 0 {
		found[0].Remedy += fmt.Sprintf("; the pipeline accepts %d of %d", accepted, u.Count)
	}
	return found
}
