package safeclone_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/lmsvault/vault/builtin"
	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/clone"
	"github.com/lmsvault/vault/core/moodle/clone/clonetest"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/safeclone"
)

func quote(name string) string { return `"` + name + `"` }

func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// site creates a site in a file.
func site(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "site.sqlite")
	clonetest.Create(t, open(t, path), "INTEGER PRIMARY KEY AUTOINCREMENT", quote)
	return path
}

// copied copies a site through the transform with these settings.
func copied(t *testing.T, from, settings string) (to string, result *run.Result) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "copy.sqlite")
	reg, err := builtin.Stages()
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("version: 1\nsource: [{use: sqlite, with: {path: %q}}]\ntransform: [{use: safe-clone, with: {%s}}]\nsink: [{use: sqlite, with: {path: %q}}]\n", from, settings, to)
	p, found := pipeline.Parse("copy.yaml", []byte(text), pipeline.Options{Registry: reg})
	if p == nil {
		t.Fatal(found)
	}
	job, err := engine.Build(t.Context(), p, reg, stage.Env{Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir()}, progress.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	if result, err = job.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := job.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return to, result
}

var settings = fmt.Sprintf("admin_password: %q, banner_text: %q, name_prefix: %q", clonetest.Password, clonetest.BannerText, clonetest.NamePrefix)

func TestCopyIsSafeWhenItArrives(t *testing.T) {
	to, result := copied(t, site(t), settings)
	clonetest.Check(t, open(t, to), quote)
	said := map[string]bool{}
	for _, n := range result.Notes {
		for _, m := range clone.Measures() {
			if strings.HasPrefix(n.Text, "safe copy: "+m.Title) && !strings.Contains(n.Text, "nothing to do") {
				said[m.ID] = true
			}
		}
	}
	for _, m := range clone.Measures() {
		if !said[m.ID] {
			t.Errorf("the result does not say what measure %s did: %v", m.ID, result.Notes)
		}
	}
	again, _ := copied(t, to, settings)
	clonetest.Check(t, open(t, again), quote)
}

// Two runs take each measure once and leave it once.
func TestEachMeasureHasASwitch(t *testing.T) {
	from := site(t)
	for turn := range 2 {
		var off []string
		with := settings
		for i, m := range clone.Measures() {
			if i%2 == turn {
				off = append(off, m.ID)
				with += ", " + m.ID + ": false"
			}
		}
		to, result := copied(t, from, with)
		clonetest.Check(t, open(t, to), quote, off...)
		if want := "measures that are off: " + strings.Join(off, ", "); !slices.ContainsFunc(result.Notes, func(n stage.Note) bool { return strings.HasSuffix(n.Text, want) }) {
			t.Errorf("no note ends with %q: %v", want, result.Notes)
		}
	}
}

// prepared returns the notes about a target at an address, and whether it becomes a copy.
func prepared(t *testing.T, address, original string) (notes []stage.Note, copied bool, err error) {
	t.Helper()
	c := safeclone.Config{Address: address}
	if err := config.Defaults(&c.Config); err != nil {
		t.Fatal(err)
	}
	x := safeclone.New(c).(stage.Preparer)
	facts := map[string]string{}
	if original != "" {
		facts[moodle.AddressFact] = original
	}
	found, err := x.Prepare(t.Context(), &stage.Plan{Facts: facts})
	if err != nil {
		return nil, false, err
	}
	m, err := x.Table(t.Context(), tasks, "")
	if err != nil {
		t.Fatal(err)
	}
	return found.Notes, m.Rewrite, nil
}

// tasks is a table that the measures empty.
var tasks = schema.Table{Name: "task_adhoc", PrimaryKey: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}}}

func TestTargetAtAnotherAddressIsACopy(t *testing.T) {
	const original = "https://moodle.example.org/learn"
	for address, want := range map[string]bool{
		"": true, "https://staging.example.org": true, "https://moodle.example.org": true, "https://moodle.example.org/learn2": true,
		original: false, "http://Moodle.example.org/learn/": false, "https://moodle.example.org:443/learn": false,
	} {
		notes, got, err := prepared(t, address, original)
		if err != nil || got != want || (len(notes) > 0) != want {
			t.Errorf("%s: %v, %v (%v)", address, got, notes, err)
		}
	}
	if _, _, err := prepared(t, "https://moodle.example.org", ""); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "clone: true") {
		t.Errorf("a backup without an address: %v", err)
	}
	if _, copied, err := prepared(t, "", ""); err != nil || !copied {
		t.Errorf("a pipeline with the transform: %v, %v", copied, err)
	}
}
