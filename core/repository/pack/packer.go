package pack

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/repository/keyring"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

const (
	PackTarget = 16 << 20 // bytes of blobs in a pack
	inFlight   = 2        // packs stored at the same time
	IndexBlobs = 1 << 16  // number of blobs after which an index object is stored
)

// packer collects sealed blobs in packs and stores the packs. It is safe for concurrent
// use. After an error, every later call returns that error.
type packer struct {
	storage    stage.Storage
	generation *keyring.Generation
	index      *Index

	ctx    context.Context // for all puts, because a unit's context may end before its pack is stored
	cancel context.CancelCauseFunc
	puts   sync.WaitGroup
	slots  chan []byte // a token for each pack in flight, with a reusable buffer

	mu   sync.Mutex // held while waiting for a slot; a put must not need it
	open openPack

	results sync.Mutex
	err     error
	done    []Pack           // stored, but not in an index object yet
	blobs   int              // in done
	stored  int64            // bytes stored
	Sizes   map[string]int64 // of the stored packs, by name
}

type openPack struct {
	Pack
	number uint32
	buf    []byte // of sealed blobs
}

// NewPacker returns a packer. The caller must call Close; the end of ctx does not end it.
func NewPacker(ctx context.Context, s stage.Storage, e *keyring.Generation, x *Index) *packer {
	p := &packer{storage: s, generation: e, index: x, slots: make(chan []byte, inFlight), Sizes: map[string]int64{}}
	p.ctx, p.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	for range inFlight {
		p.slots <- nil
	}
	return p
}

// Add adds a sealed chunk to the open pack.
func (p *packer) Add(ctx context.Context, kind blobKind, id object.ID, sealed []byte, plain int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.failure(); err != nil {
		return err
	}
	if len(p.open.buf) > 0 && len(p.open.buf)+len(sealed) > PackTarget {
		if err := p.sendLocked(ctx); err != nil {
			return err
		}
	}
	if len(p.open.Blobs) == 0 {
		name, err := object.RandomName()
		if err != nil {
			return err
		}
		p.open.Name = name
		p.open.number = p.index.newPack(name)
	}
	at := location{p.open.number, uint32(len(p.open.buf)), uint32(len(sealed)), uint32(plain)}
	p.open.buf = append(p.open.buf, sealed...)
	p.open.Blobs = append(p.open.Blobs, Blob{kind, id, at.length, at.Plain})
	p.index.put(id, at)
	return nil
}

// sendLocked passes the open pack to a goroutine that stores it. It blocks while
// inFlight packs are being stored.
func (p *packer) sendLocked(ctx context.Context) error {
	if len(p.open.Blobs) == 0 {
		return nil
	}
	var buf []byte
	select {
	case buf = <-p.slots:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
	sent := p.open
	p.open = openPack{buf: buf}
	p.puts.Go(func() {
		buf, err := p.put(sent)
		if err != nil {
			p.Fail(err)
		}
		p.slots <- buf
	})
	return nil
}

// put seals the directory, stores the pack, and returns its buffer for reuse.
func (p *packer) put(o openPack) ([]byte, error) {
	directory := appendDirectory([]byte{directoryVersion}, o.Blobs)
	sealed, err := p.generation.SealObject(p.ctx, directory, p.generation.BlobName("pack", o.Name))
	if err != nil {
		return nil, fmt.Errorf("sealing the directory of a pack: %w", err)
	}
	objectName := append(o.buf, sealed...)
	objectName = binary.LittleEndian.AppendUint32(objectName, uint32(len(sealed)))
	objectName = append(objectName, packMagic...)
	if err := p.storage.Put(p.ctx, object.PackName(p.generation.KID, o.Name), objectName); err != nil {
		return nil, fmt.Errorf("storing a pack: %w", err)
	}
	o.Size = int64(len(objectName))
	if err := p.putDone(o.Pack); err != nil {
		return nil, err
	}
	if cap(objectName) > 2*PackTarget { // a large row has made it too large to keep
		return nil, nil
	}
	return objectName[:0], nil
}

// putDone records a stored pack, and stores an index object once there are enough blobs.
func (p *packer) putDone(done Pack) error {
	p.results.Lock()
	p.stored += done.Size
	p.Sizes[done.Name] = done.Size
	p.done = append(p.done, done)
	p.blobs += len(done.Blobs)
	var packs []Pack
	if p.blobs >= IndexBlobs {
		packs, p.done, p.blobs = p.done, nil, 0
	}
	p.results.Unlock()
	return p.PutIndex(p.ctx, packs)
}

// PutIndex stores an index object for packs.
func (p *packer) PutIndex(ctx context.Context, packs []Pack) error {
	if len(packs) == 0 {
		return nil
	}
	name, err := object.RandomName()
	if err != nil {
		return err
	}
	plain, err := appendIndex(nil, packs)
	if err != nil {
		return err
	}
	sealed, err := p.generation.SealObject(ctx, plain, p.generation.BlobName("index", name))
	if err != nil {
		return fmt.Errorf("sealing an index: %w", err)
	}
	if err := p.storage.Put(ctx, object.IndexName(p.generation.KID, name), sealed); err != nil {
		return fmt.Errorf("storing an index: %w", err)
	}
	p.results.Lock()
	defer p.results.Unlock()
	p.stored += int64(len(sealed))
	return nil
}

// Fail makes all later calls return err, and cancels the puts in progress.
func (p *packer) Fail(err error) {
	p.results.Lock()
	if p.err == nil {
		p.err = err
	}
	p.results.Unlock()
	p.cancel(err)
}

func (p *packer) failure() error {
	p.results.Lock()
	defer p.results.Unlock()
	return p.err
}

// Flush stores all blobs that were added, and an index for their packs.
func (p *packer) Flush(ctx context.Context) error {
	p.mu.Lock()
	err := p.failure()
	if err == nil {
		err = p.sendLocked(ctx)
	}
	p.mu.Unlock()
	p.puts.Wait()
	if err = cmp.Or(p.failure(), err); err != nil {
		return err
	}
	p.results.Lock()
	packs := p.done
	p.done, p.blobs = nil, 0
	p.results.Unlock()
	return p.PutIndex(ctx, packs)
}

// Bytes returns the number of bytes stored so far.
func (p *packer) Bytes() int64 {
	p.results.Lock()
	defer p.results.Unlock()
	return p.stored
}

var errClosed = errors.New("the repository's writer is closed")

// Close cancels the puts in progress and waits for them.
func (p *packer) Close() {
	p.Fail(errClosed)
	p.puts.Wait()
}
