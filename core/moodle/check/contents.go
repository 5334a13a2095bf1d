package check

import (
	"strings"

	"github.com/lmsvault/vault/core/stage"
)

// MissingFiles is the check that the contents of all files exist.
func MissingFiles() Check {
	return Check{
		ID: "missing-files", Title: "Missing files", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelFail},
		Doc: `Looks in the file pool for the content of every row of the table files, and lists the component, course and name of
files whose content is missing. These are losses of kind missing_file. The check **fails** if the pipeline does not accept
as many.`,
		Remedy: `restore the contents from an older backup, or have the files uploaded again. If a plugin such as tool_objectfs
keeps them elsewhere, they are not part of this backup. To continue without them: ` + "`--accept-loss missing_file=COUNT`" + `.`,
	}
}

// WrongFiles is the check that contents are what the database says.
func WrongFiles() Check {
	return Check{
		ID: "wrong-files", Title: "Wrong contents of files", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelFail},
		Doc: `Compares the size of every content in the file pool with the table files, and the SHA-1 of a content with another
size, or of every content with ` + "`verify_files: true`" + `. A content with another SHA-1 is a loss of kind corrupt_file. The
check **fails** if the pipeline does not accept as many. A size that is only wrong in the table is a **note**.`,
		Remedy: `restore the contents from an older backup, or have the files uploaded again. To back them up as they are:
` + "`--accept-loss corrupt_file=COUNT`" + `.`,
	}
}

// BadContent is a content that is missing or wrong, with the first file that uses it.
type BadContent struct {
	Hash      string
	Problem   string // "" for missing
	Component string
	Area      string
	Course    string // short name; "" if it is not in a course, or unknown
	Name      string // of the file
}

// BadContents lists contents that are missing, or wrong.
type BadContents struct {
	Contents []BadContent // some of them
	Count    int64        // of all
	Accepted int64        // number that the pipeline accepts
	Examined int64        // number of contents that were examined
	// Elsewhere names a plugin that keeps contents outside of the file pool, "" for none.
	Elsewhere string
	// Notes lists contents with a problem that is no loss.
	Notes []BadContent
}

// Findings returns the findings of c, which is MissingFiles or WrongFiles.
func (b BadContents) Findings(c Check) []stage.ActionFinding {
	level, remedy := stage.LevelFail, strings.SplitN(strings.ReplaceAll(c.Remedy, "\n", " "), ". ", 2)[0]
	if b.Elsewhere != "" {
		remedy = "the plugin " + b.Elsewhere + " keeps files elsewhere: bring them back into the file pool, or " + remedy
	}
	if b.Count <= b.Accepted {
		level, remedy = stage.LevelNote, ""
	}
	var found []stage.ActionFinding
	for _, x := range b.Notes {
		f := c.Finding(stage.LevelNote, "%s: %s", x.file(), x.Problem)
		f.Where = x.Hash
		found = append(found, f)
	}
	if b.Count == 0 {
		return append(found, c.Finding(stage.LevelOK, "%s contents examined, none is %s", number(b.Examined), strings.ToLower(strings.Fields(c.Title)[0])))
	}
	for _, x := range b.Contents {
		problem := "the content is missing"
		if x.Problem != "" {
			problem = x.Problem
		}
		f := c.Finding(level, "%s: %s", x.file(), problem)
		f.Where, f.Remedy = x.Hash, remedy
		found = append(found, f)
	}
	if more := b.Count - int64(len(b.Contents)); more > 0 {
		f := c.Finding(level, "%d more contents of %s examined ones", more, number(b.Examined))
		f.Where, f.Remedy = stage.Filedir, remedy
		found = append(found, f)
	}
	return found
}

// file describes where the file is used.
func (x BadContent) file() string {
	text := x.Component
	if x.Area != "" {
		text += " " + x.Area
	}
	if x.Course != "" {
		text += ", course " + x.Course
	}
	return text + ", file " + x.Name
}
