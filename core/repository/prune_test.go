package repository_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// aging returns a site in which half of the files differ in each generation, so that parts of
// packs become waste.
func aging(generation int) *site {
	s := &site{tables: map[string][][]string{"log": {nil}}, files: map[string][]byte{}, prints: true}
	for i := range 8 {
		seed := byte(i)
		if i%2 == 1 {
			seed += byte(20 * (generation + 1))
		}
		s.files[fmt.Sprintf("dataroot/%d", i)] = noise(seed, rows.MinChunk+1000)
	}
	for i := range 10 {
		s.tables["log"][0] = append(s.tables["log"][0], fmt.Sprintf("%d\tgeneration %d\ty\tz", i, generation))
	}
	return s
}

// aged returns a repository with a snapshot of each of several generations.
func aged(t testing.TB, generations int, pass string) (*memory, []repository.Summary) {
	t.Helper()
	m := newMemory()
	var made []repository.Summary
	for g := range generations {
		made = append(made, mustBackup(t, aging(g), m, pass))
	}
	return m, made
}

func prune(t testing.TB, m *memory, pass string, q repository.PruneRequest) *repository.Pruning {
	t.Helper()
	p, err := open(t, m, pass).Prune(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if locks := m.names("locks/"); len(locks) > 0 {
		t.Errorf("locks remain: %v", locks)
	}
	return p
}

// Prune removes chunks that no snapshot needs and keeps the others. A dry run reports the
// same result beforehand.
func TestPruneFreesWhatNoSnapshotNeeds(t *testing.T) {
	for _, pass := range []string{"secret", ""} {
		m, made := aged(t, 4, pass)
		if p := prune(t, m.clone(), pass, repository.PruneRequest{MaxWaste: 50}); p.Waste != 0 || p.Free != 0 {
			t.Errorf("waste although nothing was forgotten: %+v", p)
		}
		forget(t, m, pass, repository.ForgetRequest{IDs: []string{made[0].Snapshot, made[1].Snapshot}})
		before := m.bytes()
		dry := prune(t, m, pass, repository.PruneRequest{DryRun: true})
		if m.bytes() != before || dry.Free < 4*rows.MinChunk || dry.Remove == 0 || dry.Repack == 0 || dry.Snapshots != 2 {
			t.Errorf("dry run: %+v, %d bytes changed", dry, m.bytes()-before)
		}
		var planned repository.Pruning
		p := prune(t, m, pass, repository.PruneRequest{Planned: func(p *repository.Pruning) { planned = *p }})
		if planned.Free != dry.Free || p.Rewrite != dry.Rewrite {
			t.Errorf("plan %+v, want that of the dry run, %+v", planned, dry)
		}
		if freed := int64(before - m.bytes()); freed < dry.Free*9/10 || freed > dry.Free*11/10 {
			t.Errorf("%d bytes were freed, want about %d", freed, dry.Free)
		}
		if indexes := m.names("index/"); len(indexes) != 1 {
			t.Errorf("%d indexes remain", len(indexes))
		}
		findings(t, m, pass, 0)
		for g := 2; g < 4; g++ {
			restore(t, m, made[g].Snapshot, pass).sameAs(t, aging(g))
		}
		whole := maps.Clone(m.objects)
		if p := prune(t, m, pass, repository.PruneRequest{}); p.Waste != 0 || p.Remove+p.Repack != 0 || !slices.Equal(slices.Sorted(maps.Keys(whole)), m.names("")) {
			t.Errorf("second prune: %+v", p)
		}
		mustBackup(t, aging(0), m, pass) // pruned content is stored again
		restore(t, m, "latest", pass).sameAs(t, aging(0))
		findings(t, m, pass, 0)
	}
}

// Packs with little waste are not changed.
func TestPruneLeavesPacksWithLittleWaste(t *testing.T) {
	large := func(generation int) *site { // with packs that are not small
		s := aging(generation)
		s.files["dataroot/large"] = noise(3, rows.MaxChunk)
		return s
	}
	m := newMemory()
	first := mustBackup(t, large(0), m, "secret")
	second := mustBackup(t, large(1), m, "secret")
	forget(t, m, "secret", repository.ForgetRequest{IDs: []string{first.Snapshot}})
	packs := len(m.names("packs/"))
	if p := prune(t, m, "secret", repository.PruneRequest{MaxWaste: 90}); p.Repack+p.Merge != 0 || p.Waste < 4*rows.MinChunk || len(m.names("packs/")) != packs {
		t.Errorf("with 90: %+v", p)
	}
	if p := prune(t, m, "secret", repository.PruneRequest{MaxWaste: 15}); p.Repack != 1 {
		t.Errorf("with 15: %+v", p)
	}
	restore(t, m, second.Snapshot, "secret").sameAs(t, large(1))
	findings(t, m, "secret", 0)
}

// The small last packs of several backups are merged into a large one, but only once.
func TestPruneMergesSmallPacks(t *testing.T) {
	m := newMemory()
	s := aging(0)
	var made []string
	sites := map[string]*site{}
	for night := range 12 {
		s = s.clone()
		s.files[fmt.Sprintf("dataroot/night %d", night)] = noise(byte(night), 700<<10)
		id := mustBackup(t, s, m, "secret").Snapshot
		made, sites[id] = append(made, id), s
	}
	before := len(m.names("packs/"))
	dry := prune(t, m, "secret", repository.PruneRequest{DryRun: true})
	if before < 12 || dry.Merge != before || dry.Repack+dry.Remove != 0 || len(m.names("packs/")) != before {
		t.Errorf("dry run with %d packs: %+v", before, dry)
	}
	p := prune(t, m, "secret", repository.PruneRequest{})
	if after := len(m.names("packs/")); p.Merge != before || p.Rewrite != dry.Rewrite || after != 1 || len(m.names("index/")) != 1 {
		t.Errorf("%d packs and %d indexes remain: %+v", after, len(m.names("index/")), p)
	}
	findings(t, m, "secret", 0)
	for _, id := range made {
		restore(t, m, id, "secret").sameAs(t, sites[id])
	}
	if p := prune(t, m, "secret", repository.PruneRequest{}); p.Merge+p.Repack+p.Remove != 0 || p.Rewrite != 0 {
		t.Errorf("second prune: %+v", p)
	}
	mustBackup(t, aging(1), m, "secret") // a single small pack is not repacked
	if p := prune(t, m, "secret", repository.PruneRequest{}); p.Merge != 0 {
		t.Errorf("with one small pack: %+v", p)
	}
	if sum := mustBackup(t, aging(1), m, "secret"); sum.New != 0 {
		t.Errorf("%d bytes were stored again", sum.New)
	}
}

// If any change fails, or the process crashes after it, all snapshots keep their chunks and
// the next prune finishes.
func TestPruneFailsAtEveryStep(t *testing.T) {
	before, made := aged(t, 4, "secret")
	forget(t, before, "secret", repository.ForgetRequest{IDs: []string{made[0].Snapshot, made[1].Snapshot}})
	steps := 0
	for n := 1; ; n++ {
		m := before.clone()
		f := &failing{memory: m, after: n}
		r, err := repository.Open(t.Context(), f, chain(t, "secret"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Prune(t.Context(), repository.PruneRequest{})
		if f.changes < n {
			if err != nil {
				t.Error(err)
			}
			break
		}
		steps = n
		for _, lock := range m.names("locks/") {
			delete(m.objects, lock) // the lock of this living process would be respected
		}
		findings(t, m, "secret", 0)
		for g := 2; g < 4; g++ {
			restore(t, m, made[g].Snapshot, "secret").sameAs(t, aging(g))
		}
		if n%3 == 0 { // a backup may come between
			mustBackup(t, aging(9), m, "secret")
		}
		prune(t, m, "secret", repository.PruneRequest{})
		if p := prune(t, m, "secret", repository.PruneRequest{DryRun: true}); p.Waste != 0 {
			t.Errorf("change %d: waste remains after the next prune: %+v", n, p)
		}
		findings(t, m, "secret", 0)
		restore(t, m, made[2].Snapshot, "secret").sameAs(t, aging(2))
		restore(t, m, made[3].Snapshot, "secret").sameAs(t, aging(3))
	}
	if steps < 12 {
		t.Errorf("only %d steps", steps)
	}
}

// Prune is refused while a backup or restore is running.
func TestPruneNeedsExclusiveLock(t *testing.T) {
	m, made := aged(t, 2, "secret")
	forget(t, m, "secret", repository.ForgetRequest{IDs: []string{made[0].Snapshot}})
	sink := repository.NewSink(m, repository.SinkConfig{Transforms: seals(t, "secret")})
	if err := sink.Begin(t.Context(), aging(5).plan()); err != nil {
		t.Fatal(err)
	}
	if err := units(t.Context(), aging(5), sink); err != nil {
		t.Fatal(err)
	}
	refused := func(what string) {
		t.Helper()
		before := len(m.names("packs/"))
		if _, err := open(t, m, "secret").Prune(t.Context(), repository.PruneRequest{}); failure.Of(err) != failure.Refused || len(m.names("packs/")) != before {
			t.Errorf("during %s: %v", what, err)
		}
	}
	refused("a backup")
	if err := errors.Join(sink.Abort(t.Context()), sink.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	src := repository.NewSource(m, theLatest, chain(t, "secret"))
	if _, err := src.Plan(t.Context(), stage.PlanRequest{}); err != nil {
		t.Fatal(err)
	}
	refused("a restore")
	if err := src.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	prune(t, m, "secret", repository.PruneRequest{})
	restore(t, m, made[1].Snapshot, "secret").sameAs(t, aging(1))
}

// If a snapshot can't be read, its chunks are unknown, so nothing is removed.
func TestPruneRefusesUnreadableSnapshot(t *testing.T) {
	m, made := aged(t, 3, "secret")
	forget(t, m, "secret", repository.ForgetRequest{IDs: []string{made[0].Snapshot}})
	m.objects[made[1].Where][50] ^= 1
	before := m.bytes()
	_, err := open(t, m, "secret").Prune(t.Context(), repository.PruneRequest{})
	if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), made[1].Snapshot) || m.bytes() != before {
		t.Errorf("got %v", err)
	}
	forget(t, m, "secret", repository.ForgetRequest{IDs: []string{made[1].Snapshot}})
	prune(t, m, "secret", repository.PruneRequest{})
	findings(t, m, "secret", 0)
	restore(t, m, made[2].Snapshot, "secret").sameAs(t, aging(2))
}

// A pack with a damaged chunk that is needed is kept, so its other chunks remain readable.
func TestPruneKeepsDamagedPacks(t *testing.T) {
	m, made := aged(t, 3, "secret")
	forget(t, m, "secret", repository.ForgetRequest{IDs: []string{made[0].Snapshot, made[1].Snapshot}})
	var largest string
	for _, name := range m.names("packs/") {
		if len(m.objects[name]) > len(m.objects[largest]) {
			largest = name
		}
	}
	for i := 1000; i < 100_000; i += 1000 {
		m.objects[largest][i] ^= 1
	}
	damage := len(findings(t, m, "secret", -1))
	p := prune(t, m, "secret", repository.PruneRequest{MaxWaste: 0})
	if _, there := m.objects[largest]; !there && damage > 0 && len(p.Notes) > 0 {
		t.Errorf("the damaged pack was deleted: %+v", p)
	}
	if after := len(findings(t, m, "secret", -1)); damage == 0 || after > damage {
		t.Errorf("%d findings, want %d as before", after, damage)
	}
}
