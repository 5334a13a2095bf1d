package edit

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/lmsvault/vault/core/stage"
)

// leftOf is what was left as it is in one table. A unit that is read again reports the
// same values again.
type leftOf struct {
	list []Left
	seen map[Left]bool
	more int64 // not listed
}

// leave records values that were left as they are.
func (t *Transform) leave(table string, list []Left) {
	if len(list) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.left[table]
	if own == nil {
		own = &leftOf{seen: map[Left]bool{}}
		t.left[table] = own
	}
	for _, l := range list {
		switch {
		case own.seen[l]:
		case len(own.list) < MaxLeft:
			own.seen[l] = true
			own.list = append(own.list, l)
		default:
			own.more++
		}
	}
}

// Notes returns a note for each value that was left as it is.
func (t *Transform) Notes(context.Context) ([]stage.Note, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var notes []stage.Note
	for _, name := range slices.Sorted(maps.Keys(t.left)) {
		own := t.left[name]
		for _, l := range own.list {
			where := "column " + l.Column
			if l.Key != "" {
				where = l.Key + " " + where
			}
			notes = append(notes, stage.Note{Path: stage.DB + "/" + name, Text: fmt.Sprintf("%s was left unchanged: %s", where, l.Reason)})
		}
		if own.more > 0 {
			notes = append(notes, stage.Note{Path: stage.DB + "/" + name, Text: fmt.Sprintf("%d more values were left unchanged", own.more)})
		}
	}
	return notes, nil
}
