package repository_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// A sink creates no repository unless it is told to, because an empty directory may be the
// mount point of a disk that is not mounted.
func TestSinkRefusesEmptyStorage(t *testing.T) {
	m := newMemory()
	sink := repository.NewSink(m, repository.SinkConfig{Transforms: seals(t, "secret")})
	_, err := sink.Check(t.Context(), sampleSite().plan())
	if !errors.Is(err, repository.ErrNoRepository) || failure.Of(err) != failure.Refused {
		t.Errorf("check: %v", err)
	}
	if err := sink.Begin(t.Context(), sampleSite().plan()); !errors.Is(err, repository.ErrNoRepository) {
		t.Errorf("begin: %v", err)
	}
	if err := sink.Close(t.Context()); err != nil || len(m.objects) > 0 {
		t.Errorf("something was written: %v, %v", m.names(""), err)
	}
}

func TestSinkNotesNewRepository(t *testing.T) {
	m := newMemory()
	for i, want := range []int{1, 0} {
		found, err := repository.NewSink(m, repository.SinkConfig{Create: true}).Check(t.Context(), sampleSite().plan())
		notes := found.Notes
		if err != nil || len(notes) != want || want > 0 && !strings.Contains(notes[0].Text, "a new one is made") {
			t.Errorf("run %d: notes %v, %v", i+1, notes, err)
		}
		if _, err := backup(t.Context(), sampleSite(), m, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCreate(t *testing.T) {
	create := func(m *memory, c repository.Creation) error { return repository.Create(t.Context(), m, c) }
	m := newMemory()
	if err := create(m, repository.Creation{Transforms: seals(t, "secret")}); err != nil {
		t.Fatal(err)
	}
	if len(m.names("keys/")) != 1 || len(m.names("locks/")) > 0 || len(m.names("access/")) != 1 || len(m.objects) != 3 {
		t.Errorf("created %v", m.names(""))
	}
	if err := create(m, repository.Creation{}); !errors.Is(err, repository.ErrRepositoryExists) || failure.Of(err) != failure.Refused {
		t.Errorf("second Create: %v", err)
	}
	s := sampleSite()
	sink := repository.NewSink(m, repository.SinkConfig{Transforms: seals(t, "secret")})
	if err := sink.Begin(t.Context(), s.plan()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(units(t.Context(), s, sink), sink.Finish(t.Context(), &stage.Outcome{}), sink.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if keys := m.names("keys/"); len(keys) != 1 {
		t.Errorf("the backup created another key: %v", keys)
	}
	restore(t, m, "latest", "secret").sameAs(t, s)

	empty := newMemory()
	if err := create(empty, repository.Creation{NoKey: true}); err != nil || len(empty.objects) != 1 {
		t.Errorf("without a key: %v %v", empty.names(""), err)
	}
	foreign := newMemory()
	foreign.objects["holiday.jpg"] = nil
	if err := create(foreign, repository.Creation{}); failure.Of(err) != failure.Refused || len(foreign.objects) != 1 {
		t.Errorf("in a storage with other objects: %v %v", foreign.names(""), err)
	}
	full := newMemory()
	full.denied = errors.New("read-only")
	if err := create(full, repository.Creation{}); failure.Of(err) != failure.Refused || full.puts > 0 {
		t.Errorf("in a read-only storage: %v", err)
	}
}
