package repository_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/manifest"
)

// Tags are stored with the snapshot. Latest selects the newest snapshot with all given tags.
func TestTagsSelectSnapshots(t *testing.T) {
	m, s := newMemory(), &site{files: map[string][]byte{"dataroot/a": []byte("a")}}
	s.tags = []string{"weekly", "before-upgrade", "weekly"}
	first := mustBackup(t, s, m, "secret")
	s.tags = []string{"weekly"}
	second := mustBackup(t, s, m, "secret")
	s.tags = nil
	third := mustBackup(t, s, m, "secret")
	r := open(t, m, "secret")
	for tags, want := range map[string]string{"": third.Snapshot, "weekly": second.Snapshot, "weekly,before-upgrade": first.Snapshot} {
		if snap, err := r.Load(t.Context(), repository.Choice{Tags: tags}); err != nil || snap.ID != want {
			t.Errorf("%q: %v, want %s", tags, err, want)
		}
	}
	snap, err := r.Load(t.Context(), repository.Choice{Snapshot: first.Snapshot})
	if err != nil || !slices.Equal(snap.Tags, []string{"before-upgrade", "weekly"}) {
		t.Errorf("%v: tags %q", err, snap.Tags)
	}
	if _, err := r.Load(t.Context(), repository.Choice{Tags: "monthly"}); err == nil || !strings.Contains(err.Error(), `tag "monthly"`) {
		t.Errorf("a tag that no snapshot has: %v", err)
	}
}

func TestInvalidTagsAreRefused(t *testing.T) {
	for _, tag := range []string{"", " x", "a,b", "a\nb", strings.Repeat("x", 101)} {
		if manifest.ValidateTag(tag) == nil {
			t.Errorf("%q was accepted", tag)
		}
	}
	if err := manifest.ValidateTag("vor dem Update"); err != nil {
		t.Error(err)
	}
}
