package repository_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/stage"
)

// holding is a storage that shares its process with the transforms: what they
// make stays with it.
type holding struct {
	*memory
	mu        sync.Mutex
	held      map[uint64][]byte
	assembled int
	lost      bool // the process was started again
}

type holder struct {
	storage   *holding
	transform stage.ByteTransform
}

func (h *holding) Holder(t stage.ByteTransform) (stage.Holder, bool) { return holder{h, t}, true }

func (h holder) Hold(ctx context.Context, src []byte, place string) (stage.Piece, error) {
	made, err := h.transform.Apply(ctx, nil, src, place)
	if err != nil {
		return stage.Piece{}, err
	}
	h.storage.mu.Lock()
	defer h.storage.mu.Unlock()
	ticket := uint64(len(h.storage.held) + 1)
	h.storage.held[ticket] = made
	return stage.Piece{Ticket: ticket, Size: len(made)}, nil
}

var errLost = errors.New("nothing is held under this ticket")

func (h *holding) Assemble(ctx context.Context, name string, pieces []stage.Piece) error {
	var object []byte
	h.mu.Lock()
	h.assembled++
	for _, p := range pieces {
		if p.Ticket != 0 && h.lost {
			h.mu.Unlock()
			return errLost
		}
		object = append(object, slices.Concat(p.Data, h.held[p.Ticket])...)
	}
	h.mu.Unlock()
	return h.Put(ctx, name, object)
}

func TestBlobsThatTheStorageHoldsMakeTheSameRepository(t *testing.T) {
	s := sampleSite()
	h := &holding{memory: newMemory(), held: map[uint64][]byte{}}
	sealed := seals(t, "secret")[1:]
	if _, err := backup(t.Context(), s, h, sealed); err != nil {
		t.Fatal(err)
	}
	if h.assembled == 0 || len(h.held) == 0 {
		t.Fatalf("%d blobs were held, and %d packs made of them", len(h.held), h.assembled)
	}
	restore(t, h.memory, "latest", "secret").sameAs(t, s) // by a storage that holds nothing
	findings(t, h.memory, "secret", 0)
}

func TestBlobsThatWereLostEndTheBackup(t *testing.T) {
	h := &holding{memory: newMemory(), held: map[uint64][]byte{}, lost: true}
	if _, err := backup(t.Context(), sampleSite(), h, seals(t, "secret")[1:]); !errors.Is(err, errLost) {
		t.Errorf("a backup whose blobs were lost: %v", err)
	}
	for name := range h.objects {
		if strings.HasPrefix(name, "snapshots/") {
			t.Errorf("there is a snapshot %s", name)
		}
	}
}
