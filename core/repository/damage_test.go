package repository_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// named reports whether Open or Verify names the object, and returns the findings.
func named(t *testing.T, m *memory, pass, object string) ([]repository.Finding, bool) {
	t.Helper()
	r, err := repository.Open(t.Context(), m, chain(t, pass))
	if err != nil {
		return nil, strings.Contains(err.Error(), object)
	}
	found, err := r.Verify(t.Context(), repository.Choice{}, nil)
	if err != nil {
		return nil, strings.Contains(err.Error(), object)
	}
	return found, slices.ContainsFunc(found, func(f repository.Finding) bool { return f.Object == object })
}

// Verify names every object that is missing, truncated, extended, replaced by another object
// or has a flipped bit.
func TestVerifyReportsEveryDamage(t *testing.T) {
	for name, pass := range map[string]string{"encrypted": "secret", "clear": ""} {
		t.Run(name, func(t *testing.T) {
			whole, s := newMemory(), sampleSite()
			delete(s.files, "dataroot/large")
			mustBackup(t, s, whole, pass)
			s.files["dataroot/later"] = []byte("later")
			mustBackup(t, s, whole, pass)
			for _, object := range whole.names("") {
				data := whole.objects[object]
				damages := map[string][]byte{"gone": nil, "empty": {}, "cut": data[:len(data)-1], "half": data[:len(data)/2], "longer": append(bytes.Clone(data), 0)}
				for _, at := range []int{0, 1, len(data) / 3, len(data) / 2, len(data) - 12, len(data) - 6, len(data) - 1} {
					if at >= 0 && at < len(data) {
						flipped := bytes.Clone(data)
						flipped[at] ^= 1 << (at % 8)
						damages[fmt.Sprintf("a bit in byte %d", at)] = flipped
					}
				}
				dir, _, _ := strings.Cut(object, "/")
				for _, other := range whole.names(dir + "/") {
					if other != object {
						damages["swapped"] = whole.objects[other]
					}
				}
				for what, damaged := range damages {
					m := whole.clone()
					m.objects[object] = damaged
					if damaged == nil {
						delete(m.objects, object)
					}
					name := object
					if what == "gone" && dir == "access" { // the name is not stored anywhere else
						name = path.Dir(object)
					}
					if _, ok := named(t, m, pass, name); !ok && !newest(whole, object, what) {
						t.Errorf("%s: %s is not named", object, what)
					}
				}
			}
		})
	}
}

// newest reports whether the damage can't be detected or does no harm: no object references
// the latest snapshot, and an index can be rebuilt from the trailers of packs.
func newest(m *memory, object, what string) bool {
	all := m.names("snapshots/")
	return what == "gone" && (object == all[len(all)-1] || strings.HasPrefix(object, "index/"))
}

// Damage to objects of a later backup does not affect an earlier snapshot.
func TestDamageSparesEarlierSnapshots(t *testing.T) {
	m, s := newMemory(), sampleSite()
	sum := mustBackup(t, s, m, "secret")
	old := maps.Clone(m.objects)
	later := s.clone()
	later.files["dataroot/new"] = noise(77, 3<<20)
	later.tables["log"] = append(slices.Clone(later.tables["log"]), []string{"99999\tx\ty\tz"})
	mustBackup(t, later, m, "secret")
	for object, data := range m.objects {
		if _, ok := old[object]; !ok {
			flipped := bytes.Clone(data)
			flipped[len(flipped)/2] ^= 4
			m.objects[object] = flipped
		}
	}
	restore(t, m, sum.Snapshot, "secret").sameAs(t, s)
	if found, err := open(t, m, "secret").Verify(t.Context(), repository.Choice{Snapshot: sum.Snapshot}, nil); err != nil || len(found) > 0 {
		t.Errorf("verify of the earlier snapshot: %+v, %v", found, err)
	}
}

// A damaged chunk is reported with the entry that is lost. All other entries are restored.
func TestDamageLosesOnlyDamagedContent(t *testing.T) {
	m, s := newMemory(), &site{files: map[string][]byte{}, tables: map[string][][]string{"log": sampleSite().tables["log"]}}
	for _, name := range []string{"a", "b", "c", "d"} {
		s.files["dataroot/"+name] = noise(name[0], 6<<20)
	}
	mustBackup(t, s, m, "secret")
	lost := map[string]bool{}
	for _, object := range m.names("packs/") {
		if len(m.objects[object]) < 12<<20 {
			continue
		}
		flipped := bytes.Clone(m.objects[object])
		flipped[1<<20] ^= 1
		m.objects[object] = flipped
		found := findings(t, m, "secret", 1)
		if len(found) != 1 || found[0].Object != object || len(found[0].Entries) != 1 || found[0].Chunk == "" || len(found[0].Snapshots) != 1 {
			t.Fatalf("findings %+v", found)
		}
		lost[found[0].Entries[0]] = true
		r := restore(t, m, "latest", "secret")
		if len(r.losses) != 1 || r.losses[0].Kind != stage.LossStored || !lost[r.losses[0].Path] ||
			!strings.Contains(r.losses[0].Reason, object) || !strings.Contains(r.losses[0].Reason, found[0].Chunk) {
			t.Errorf("losses %+v", r.losses)
		}
		for path, content := range s.files {
			if !lost[path] && !bytes.Equal(r.files[path], content) {
				t.Errorf("%s was not restored", path)
			}
		}
		snap, err := open(t, m, "secret").Load(t.Context(), theLatest)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := open(t, m, "secret").Cat(t.Context(), snap, r.losses[0].Path, &out); !errors.Is(err, stage.ErrCorrupt) || !strings.Contains(err.Error(), object) {
			t.Errorf("cat: %v", err)
		}
		break
	}
	if len(lost) == 0 {
		t.Error("no pack was damaged")
	}
}

// The next backup stores the content of a missing pack again, which repairs all snapshots.
func TestBackupReplacesDamagedPacks(t *testing.T) {
	m, s := newMemory(), sampleSite()
	mustBackup(t, s, m, "secret")
	packs := m.names("packs/")
	delete(m.objects, packs[0])
	mustBackup(t, s, m, "secret")
	restore(t, m, "latest", "secret").sameAs(t, s)
	snaps, err := open(t, m, "secret").Snapshots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	restore(t, m, snaps[0].ID, "secret").sameAs(t, s)
}
