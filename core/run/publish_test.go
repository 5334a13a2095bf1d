package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// calls records the calls to all targets of a site, in order.
type calls struct{ list []string }

// exposer is a target of one part that can be exposed.
type exposer struct {
	target
	name    string
	all     *calls
	run     string // exposed and not settled
	failing string // the method that fails
}

var errGone = errors.New("the disk has gone away")

func (e *exposer) did(method string) error {
	e.all.list = append(e.all.list, e.name+" "+method)
	if e.failing == method {
		return errGone
	}
	return nil
}

func (e *exposer) Expose(_ context.Context, run string) error { e.run = run; return e.did("expose") }
func (e *exposer) Publish(context.Context) error              { return e.did("publish") }
func (e *exposer) Abort(context.Context) error                { return e.did("abort") }
func (e *exposer) Settle(context.Context) error               { e.run = ""; return e.did("settle") }

// decider is the database of a site.
type decider struct {
	exposer
	published bool
	unknown   error
}

func (d *decider) Published(_ context.Context, run string) (bool, error) {
	return d.published && strings.HasSuffix(d.run, run), d.unknown
}

// recoverer is a directory of a site.
type recoverer struct {
	exposer
	exposed string
}

func (r *recoverer) Exposed(context.Context) (string, error) { return r.exposed, nil }
func (r *recoverer) Complete(context.Context) error          { r.exposed = ""; return r.did("complete") }
func (r *recoverer) Retract(context.Context) error           { r.exposed = ""; return r.did("retract") }

// whole returns a job with a database, a file pool and a data root, in an order in which
// they must not be published.
func whole(t *testing.T) (j *Job, c *calls, db *decider, pool, root *recoverer) {
	t.Helper()
	c = &calls{}
	db = &decider{exposer: exposer{name: "db", all: c}}
	pool, root = &recoverer{exposer: exposer{name: "pool", all: c}}, &recoverer{exposer: exposer{name: "root", all: c}}
	source := site()
	source.dataroot = true
	j = job(t, source)
	for _, s := range []struct {
		part string
		sink stage.Sink
	}{{stage.Filedir, pool}, {stage.Dataroot, root}, {stage.DB, db}} {
		j.Targets = append(j.Targets, &Target{Name: s.part, Sink: s.sink, Parts: []string{s.part}, Dialect: "memory", Replace: stage.ReplaceSwap})
	}
	return j, c, db, pool, root
}

func TestPublishesDatabaseThenDataRootThenPool(t *testing.T) {
	j, c, _, _, _ := whole(t)
	if _, err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"db expose", "pool expose", "root expose", "db publish", "root publish", "pool publish", "pool settle", "root settle", "db settle"}
	if !slices.Equal(c.list, want) {
		t.Errorf("the calls were %q, want %q", c.list, want)
	}
}

// Before the database is published everything is taken back, afterwards nothing.
func TestFailedPublicationIsTakenBackOrLeftToRecovery(t *testing.T) {
	for name, c := range map[string]struct {
		fails func(db *decider, pool, root *recoverer)
		want  []string // calls from the first Publish on
		says  string
	}{
		"expose": {func(_ *decider, _, root *recoverer) { root.failing = "expose" }, []string{"pool abort", "root abort", "db abort"}, "the target is as it was before"},
		"database": {func(db *decider, _, _ *recoverer) { db.failing = "publish" },
			[]string{"db publish", "db abort", "pool abort", "root abort"}, "the target is as it was before"},
		"database, answer lost": {func(db *decider, _, _ *recoverer) { db.failing, db.published = "publish", true },
			[]string{"db publish", "db abort", "root publish", "pool publish", "pool settle", "root settle", "db settle"}, ""},
		"database, outcome unknown": {func(db *decider, _, _ *recoverer) { db.failing, db.unknown = "publish", errGone },
			[]string{"db publish", "db abort"}, "run vault recover"},
		"data root": {func(_ *decider, _, root *recoverer) { root.failing = "publish" }, []string{"db publish", "root publish"}, "run vault recover"},
		"pool":      {func(_ *decider, pool, _ *recoverer) { pool.failing = "publish" }, []string{"db publish", "root publish", "pool publish"}, "run vault recover"},
	} {
		t.Run(name, func(t *testing.T) {
			j, calls, db, pool, root := whole(t)
			c.fails(db, pool, root)
			_, err := j.Run(t.Context())
			if got := calls.list[3:]; !slices.Equal(got, c.want) {
				t.Errorf("the calls were %q, want %q", got, c.want)
			}
			if (c.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v, want %q", err, c.says)
			}
		})
	}
}

// An interruption comes too late once the database is published.
func TestInterruptionAfterTheDatabaseDoesNotEndPublication(t *testing.T) {
	j, c, _, _, _ := whole(t)
	ctx, cancel := context.WithCancel(t.Context())
	j.Targets[2].Sink = &interrupting{j.Targets[2].Sink.(*decider), cancel}
	if _, err := j.Run(ctx); err != nil || c.list[len(c.list)-1] != "db settle" {
		t.Errorf("%v after %q", err, c.list)
	}
}

type interrupting struct {
	*decider
	cancel func()
}

func (i *interrupting) Publish(ctx context.Context) error { i.cancel(); return i.decider.Publish(ctx) }

// The next run first completes a dead one whose database was published, and takes any other
// back; if that is unknown it does neither.
func TestRunRecoversADeadOne(t *testing.T) {
	for name, c := range map[string]struct {
		run       string
		published bool
		replace   stage.Replace
		want      []string
		outcome   Recovery
	}{
		"published":     {"r", true, stage.ReplaceSwap, []string{"root complete", "pool complete", "pool settle", "root settle", "db settle"}, RecoveredNew},
		"not published": {"r", false, stage.ReplaceSwap, []string{"pool retract", "root retract"}, RecoveredOld},
		"settled":       {"settled-r", false, stage.ReplaceSwap, []string{"root complete", "pool complete", "pool settle", "root settle", "db settle"}, RecoveredNew},
		"undecided":     {"undecided-r", false, stage.ReplaceSwap, nil, RecoveredNeither},
	} {
		t.Run(name, func(t *testing.T) {
			j, calls, db, pool, root := whole(t)
			db.run, pool.exposed, root.exposed, db.published = c.run, c.run, c.run, c.published
			r, err := j.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := calls.list[:len(calls.list)-9]; !slices.Equal(got, c.want) {
				t.Errorf("the calls were %q, want %q", got, c.want)
			}
			if note := c.outcome.notes()[0]; !slices.Contains(r.Notes, note) {
				t.Errorf("the notes are %v, want %v", r.Notes, note)
			}
		})
	}
}

// vault recover ends with the actions that the dead run would have ended with.
func TestRecoverRunsTheActionsAfterARun(t *testing.T) {
	for name, c := range map[string]struct {
		run       string
		published bool
		outcome   Recovery
		action    string
	}{
		"published": {"r", true, RecoveredNew, "success"}, "not published": {"r", false, RecoveredOld, "failure"}, "nothing": {"", false, RecoveredNothing, "failure"},
	} {
		t.Run(name, func(t *testing.T) {
			j, calls, db, pool, root := whole(t)
			db.run, pool.exposed, root.exposed, db.published = c.run, c.run, c.run, c.published
			success, fails := &acting{t: &target{}, name: "success"}, &acting{t: &target{}, name: "failure"}
			j.Actions = []ActionStep{{Name: "success", Moment: stage.MomentAfter, AfterSuccess: true, Action: success}, {Name: "failure", Moment: stage.MomentAfter, AfterFailure: true, Action: fails}}
			outcome, _, err := j.Recover(t.Context())
			ran := map[string]int{"success": len(success.requests), "failure": len(fails.requests)}
			if err != nil || outcome != c.outcome || ran[c.action] != 1 || ran["success"]+ran["failure"] != 1 {
				t.Errorf("%q, %v; actions %v", outcome, err, ran)
			}
			if last := calls.list[len(calls.list)-1]; last != "db settle" {
				t.Errorf("the calls were %q", calls.list)
			}
		})
	}
	j, _, _, pool, _ := whole(t)
	pool.exposed = "undecided-r"
	if outcome, _, err := j.Recover(t.Context()); outcome != RecoveredNeither || failure.Of(err) != failure.Refused {
		t.Errorf("undecided: %q, %v", outcome, err)
	}
}
