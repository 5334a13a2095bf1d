package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// untidy is a target that could not clear everything away, or can't say.
type untidy struct {
	target
	notes []stage.Note
	err   error
}

func (u *untidy) Notes(context.Context) ([]stage.Note, error) {
	if !slices.Contains(u.calls, "publish") {
		return nil, errors.New("it is asked too early")
	}
	return u.notes, u.err
}

// What a target could not clear away once it counts is no failure of the run, and
// stands in its result.
func TestWhatATargetLeavesIsANote(t *testing.T) {
	for _, c := range []struct {
		notes []stage.Note
		err   error
		want  string
	}{
		{[]stage.Note{{Path: "db", Text: "the old tables stay"}}, nil, "the old tables stay"},
		{nil, errors.New("no answer"), "target: the target is whole, but can't say whether something is left of the former one: no answer"},
	} {
		j := job(t, site())
		j.Targets = []*Target{{Name: "target", Sink: &untidy{notes: c.notes, err: c.err}, Parts: []string{stage.DB, stage.Filedir}, Dialect: "memory"}}
		r, err := j.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(r.Notes, func(n stage.Note) bool { return strings.Contains(n.Text, c.want) }) {
			t.Errorf("the notes are %q, want %q", r.Notes, c.want)
		}
	}
}
