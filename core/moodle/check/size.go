package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"

	"github.com/lmsvault/vault/core/stage"
)

// SiteSize is the check that lists what there is to back up.
func SiteSize() Check {
	return Check{
		ID: "site-size", Title: "Size of the site", Levels: []stage.Level{stage.LevelNote},
		Doc: `Lists the number of tables and rows, the largest table, the number, total size and largest of the files that the
table files names, and the size of the data root without the file pool and without what backups always exclude. The
numbers of rows are the server's estimates.`,
	}
}

// Size is what SiteSize reports.
type Size struct {
	Tables []TableSize
	Files  *FileSize // nil if the table files is missing
	// DataRoot is the size of the files in the data root; nil if it is unknown.
	DataRoot *FileSize
}

// TableSize is the size of a table, as the server estimates it.
type TableSize struct {
	Name        string
	Rows, Bytes int64
}

// FileSize is the size of a number of files.
type FileSize struct{ Count, Bytes, Largest int64 }

// Findings returns the findings of the check SiteSize.
func (s Size) Findings() []stage.ActionFinding {
	c := SiteSize()
	note := func(where, format string, args ...any) stage.ActionFinding {
		f := c.Finding(stage.LevelNote, format, args...)
		f.Where = where
		return f
	}
	var rows, bytes int64
	for _, t := range s.Tables {
		rows += t.Rows
		bytes += t.Bytes
	}
	var found []stage.ActionFinding
	if len(s.Tables) > 0 {
		largest := slices.MaxFunc(s.Tables, func(a, b TableSize) int { return cmp.Or(cmp.Compare(a.Bytes, b.Bytes), cmp.Compare(a.Rows, b.Rows)) })
		found = append(found, note(stage.DB, "%d tables with about %s rows, %s; the largest is %s with about %s rows, %s",
			len(s.Tables), number(rows), bytesOf(bytes), largest.Name, number(largest.Rows), bytesOf(largest.Bytes)))
	}
	if s.Files != nil {
		found = append(found, note(stage.Filedir, "%s; the largest has %s", s.Files, bytesOf(s.Files.Largest)))
	}
	if s.DataRoot != nil {
		found = append(found, note(stage.Dataroot, "%s", s.DataRoot))
	}
	return found
}

// String returns the number of files and their size.
func (s *FileSize) String() string {
	return fmt.Sprintf("%s files, %s", number(s.Count), bytesOf(s.Bytes))
}

func number(n int64) string  { return humanize.Comma(n) }
func bytesOf(n int64) string { return humanize.IBytes(uint64(max(0, n))) }
