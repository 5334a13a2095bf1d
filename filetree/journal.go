package filetree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// journal lists how the entries of two trees are exchanged and how to undo that.
// Paths are relative to the root.
type journal struct {
	marked   bool // the root was marked as incomplete before
	restored bool // it had the marker of a finished restore
	moves    []move
	before   []dirState // attributes of directories of the old tree, to be restored after an undo
	after    []dirState // attributes of directories of the new tree
}

// move is a rename. If two moves concern one name, the old entry leaves first.
type move struct{ from, to string }

// dirState holds the attributes that a directory gets when its contents are complete.
type dirState struct {
	path  string
	mode  uint32
	time  time.Time   // zero: unchanged
	owner stage.Owner // unknown: unchanged
}

const journalHead = "vault exchange 1"

// encode writes one line per item. Names are quoted, as they may contain any byte.
func (j *journal) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, journalHead)
	fmt.Fprintln(&b, "target", j.marked, j.restored)
	for _, m := range j.moves {
		fmt.Fprintf(&b, "move %q %q\n", m.from, m.to)
	}
	for _, list := range []struct {
		kind string
		dirs []dirState
	}{{"dir", j.before}, {"new", j.after}} {
		for _, d := range list.dirs {
			fmt.Fprintf(&b, "%s %q %d %d %d\n", list.kind, d.path, d.mode, d.time.Unix(), d.time.Nanosecond())
			if d.owner.Known {
				fmt.Fprintln(&b, "owner", d.owner.UID, d.owner.GID)
			}
		}
	}
	fmt.Fprintln(&b, "end")
	return b.Bytes()
}

// decodeJournal parses a journal. Earlier versions wrote none of the attributes of new
// directories, which an undo does not need.
func decodeJournal(text string) (*journal, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != journalHead || lines[len(lines)-2] != "end" {
		return nil, errors.New("truncated, or of another version")
	}
	j := &journal{}
	var last *dirState
	if _, err := fmt.Sscanf(lines[1], "target %t %t", &j.marked, &j.restored); err != nil {
		return nil, fmt.Errorf("line 2: %w", err)
	}
	for i, line := range lines[2 : len(lines)-2] {
		var err error
		var paths []string
		switch kind, _, _ := strings.Cut(line, " "); kind {
		case "move":
			var m move
			_, err = fmt.Sscanf(line, "move %q %q", &m.from, &m.to)
			j.moves, paths = append(j.moves, m), []string{m.from, m.to}
		case "dir", "new":
			var d dirState
			var sec, nsec int64
			_, err = fmt.Sscanf(line, kind+" %q %d %d %d", &d.path, &d.mode, &sec, &nsec)
			d.time, paths = time.Unix(sec, nsec), []string{d.path}
			list := &j.before
			if kind == "new" {
				list = &j.after
			}
			*list = append(*list, d)
			last = &(*list)[len(*list)-1]
		case "owner": // of the preceding directory
			o := stage.Owner{Known: true}
			if _, err = fmt.Sscanf(line, "owner %d %d", &o.UID, &o.GID); err == nil && last == nil {
				err = errors.New("owner without a directory")
			}
			if err == nil {
				last.owner = o
			}
		default:
			err = errors.New("unknown line")
		}
		for _, path := range paths {
			if err == nil {
				err = CheckPath(path)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+3, err)
		}
	}
	return j, nil
}

// write makes the journal durable under its final name.
func (a *swapArea) write(j *journal) error { return a.store(journalName, j.encode()) }

// store writes a file that appears complete, or not at all.
func (a *swapArea) store(name string, text []byte) error {
	f, err := a.dir.OpenFile(partialName, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return a.dir.Rename(partialName, name)
}

func (a *swapArea) read(name string) (_ *journal, err error) {
	f, err := a.dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	j, err := decodeJournal(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", SwapName, name, err)
	}
	return j, nil
}
