package repository_test

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
)

// small returns a site with one file, backed up by a pipeline.
func small(pipeline, id, name string) *site {
	s := &site{files: map[string][]byte{"dataroot/x": []byte(pipeline + id)}, pipeline: pipeline, facts: map[string]string{}}
	if id != "" {
		s.facts["site"], s.facts["site_name"] = id, name
	}
	return s
}

func TestLatestOfSingleSeries(t *testing.T) {
	m := newMemory()
	mustBackup(t, small("nightly", "s1", "Old School"), m, "")
	second := mustBackup(t, small("nightly", "s1", "School"), m, "") // a renamed site is still the same series
	if snap, err := open(t, m, "").Load(t.Context(), theLatest); err != nil || snap.ID != second.Snapshot {
		t.Errorf("latest: %v", err)
	}
}

func TestLatestOfSeveralSeriesIsRefused(t *testing.T) {
	m := newMemory()
	school := mustBackup(t, small("nightly", "s1", "School"), m, "").Snapshot
	hourly := mustBackup(t, small("hourly", "s1", "School"), m, "").Snapshot
	files := mustBackup(t, small("files", "", ""), m, "").Snapshot
	college := mustBackup(t, small("nightly", "s2", "College"), m, "").Snapshot
	r := open(t, m, "")
	for _, c := range []struct {
		site, pipeline string
		want           string   // ID of the snapshot; "" for a refusal
		lists          []string // texts in the refusal
	}{
		{"", "", "", []string{`pipeline "nightly", site "School" (s1)`, `pipeline "hourly", site "School" (s1)`, `pipeline "files" (no Moodle database)`, `site "College" (s2)`, college, "--pipeline"}},
		{"", "nightly", "", []string{`site "School" (s1)`, `site "College" (s2)`}},
		{"s1", "", "", []string{`pipeline "nightly"`, `pipeline "hourly"`}},
		{"School", "nightly", school, nil},
		{"s1", "hourly", hourly, nil},
		{"", "hourly", hourly, nil},
		{"", "files", files, nil},
		{"College", "", college, nil},
		{"s2", "", college, nil},
	} {
		choice := repository.Choice{Snapshot: repository.Latest, Site: c.site, Pipeline: c.pipeline}
		snap, err := r.Load(t.Context(), choice)
		if c.want != "" {
			if err != nil || snap.ID != c.want {
				t.Errorf("%v: %v", choice, err)
			}
			continue
		}
		if failure.Of(err) != failure.Refused {
			t.Errorf("%v: %v", choice, err)
			continue
		}
		for _, says := range c.lists {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%v: %v\nwant %s", choice, err, says)
			}
		}
	}
	for _, c := range []repository.Choice{{Site: "s3"}, {Pipeline: "weekly"}, {Site: "s2", Pipeline: "hourly"}, {Snapshot: school, Site: "s2"}, {Snapshot: school, Pipeline: "hourly"}} {
		if _, err := r.Load(t.Context(), c); failure.Of(err) != failure.Usage {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if snap, err := r.Load(t.Context(), repository.Choice{Snapshot: school, Site: "School"}); err != nil || snap.ID != school {
		t.Errorf("by ID: %v", err)
	}
}

// A backup does not reuse files from a snapshot of another site, even if the paths are equal.
func TestPreviousIsOfSameSite(t *testing.T) {
	m := newMemory()
	first := mustBackup(t, small("nightly", "s1", "School"), m, "").Snapshot
	mustBackup(t, small("nightly", "s2", "College"), m, "")
	mustBackup(t, small("nightly", "s1", "School"), m, "")
	list, err := open(t, m, "").Snapshots(t.Context())
	if err != nil || list[1].Snapshot.Previous != "" || list[2].Snapshot.Previous != first {
		t.Errorf("%v: previous snapshots are %q and %q", err, list[1].Snapshot.Previous, list[2].Snapshot.Previous)
	}
}
