package check

import "github.com/lmsvault/vault/core/stage"

// DiskSpace is the check of the free space wherever a run writes.
func DiskSpace() Check {
	return Check{
		ID: "disk-space", Title: "Disk space", Levels: []stage.Level{stage.LevelOK, stage.LevelNote, stage.LevelWarning, stage.LevelFail},
		Doc: `Compares the free space of every directory that the run writes to, of repositories and of other targets, with
the size of the site, and examines the directory for temporary files. Directories of one file system share its space.
The disks of database servers and of remote storages cannot be examined.

It **fails** if a file system is full or has no inodes left, or if a target other than a repository has less space than
the site needs. A repository with less space than the site is a **warning**, because it stores only what is new,
compressed.`,
		Remedy: `make room, for example with ` + "`vault forget` and `vault prune`" + `, or choose another disk.`,
	}
}

// Place is a directory that a run writes to.
type Place struct {
	Dir        string
	Use        PlaceUse
	FileSystem string // equal for places that share their space
	Bytes      int64  // free
	Inodes     int64  // free; -1 for no limit
	Need       int64  // size of what is written there, in bytes; 0 for unknown
	Err        error  // why the free space is unknown
}

// PlaceUse is what a place is used for.
type PlaceUse string

// The uses.
const (
	Repository PlaceUse = "repository"
	Target     PlaceUse = "target"
	Temporary  PlaceUse = "temporary files"
)

const (
	fullBytes  = 16 << 20 // a file system with less is full
	fullInodes = 100
	tempBytes  = 256 << 20 // temporary files of a run
)

// FreeSpace returns the findings of the check DiskSpace.
func FreeSpace(places []Place) []stage.ActionFinding {
	c := DiskSpace()
	need := map[string]int64{} // of targets, by file system
	for _, p := range places {
		if p.Use == Target {
			need[p.FileSystem] += p.Need
		}
	}
	var found []stage.ActionFinding
	for _, p := range places {
		if p.Err != nil {
			f := c.Undone(p.Err)
			f.Where = p.Dir
			found = append(found, f)
			continue
		}
		f := p.finding(c, need[p.FileSystem])
		f.Where = p.Dir
		if f.Level.Above(stage.LevelNote) {
			f.Remedy = "make room, or choose another disk"
		}
		found = append(found, f)
	}
	return found
}

func (p Place) finding(c Check, targets int64) stage.ActionFinding {
	switch {
	case p.Bytes < fullBytes:
		return c.Finding(stage.LevelFail, "the disk is full: %s are free", bytesOf(p.Bytes))
	case p.Inodes >= 0 && p.Inodes < fullInodes:
		return c.Finding(stage.LevelFail, "the file system has only %d inodes left", p.Inodes)
	case p.Use == Target && p.Bytes < targets:
		return c.Finding(stage.LevelFail, "%s are free, but %s are needed", bytesOf(p.Bytes), bytesOf(targets))
	case p.Use == Repository && p.Bytes < p.Need:
		return c.Finding(stage.LevelWarning, "%s are free and the site has %s; a backup of everything might not fit", bytesOf(p.Bytes), bytesOf(p.Need))
	case p.Use == Temporary && p.Bytes < tempBytes:
		return c.Finding(stage.LevelWarning, "%s are free for temporary files; a run may need %s", bytesOf(p.Bytes), bytesOf(tempBytes))
	case p.Need == 0:
		return c.Finding(stage.LevelOK, "%s are free for %s", bytesOf(p.Bytes), p.Use.named())
	}
	return c.Finding(stage.LevelOK, "%s are free and %s are needed at most", bytesOf(p.Bytes), bytesOf(p.Need))
}

func (u PlaceUse) named() string {
	if u == Temporary {
		return string(u)
	}
	return "the " + string(u)
}
