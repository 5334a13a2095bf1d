package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// untidy is a target that returns notes or an error after Publish.
type untidy struct {
	target
	notes []stage.Note
	err   error
}

func (u *untidy) Notes(context.Context) ([]stage.Note, error) {
	if !slices.Contains(u.calls, "publish") {
		return nil, errors.New("called before Publish")
	}
	return u.notes, u.err
}

// Remains that a published target could not remove do not fail the run; the result
// notes them.
func TestRemainsOfTargetAreNoted(t *testing.T) {
	for _, c := range []struct {
		notes []stage.Note
		err   error
		want  string
	}{
		{[]stage.Note{{Path: "db", Text: "the old tables stay"}}, nil, "the old tables stay"},
		{nil, errors.New("no answer"), "target: the target is complete, but whether anything of the former one remains is unknown: no answer"},
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
