package repository

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/lmsvault/vault/core/stage"
)

const (
	packTarget = 16 << 20 // bytes of blobs in a pack
	inFlight   = 2        // packs that are being put at once
	indexBlobs = 1 << 16  // an index object is put after so many
)

// packer puts sealed blobs together into packs and puts those in the storage.
// It is safe for concurrent use. Its first error stays: every later call returns it.
type packer struct {
	storage stage.Storage
	epoch   *epoch
	index   *index

	ctx    context.Context // of all puts: a unit's own may end before its pack is put
	cancel context.CancelCauseFunc
	puts   sync.WaitGroup
	slots  chan []byte // a token for each pack in flight, with a buffer to use again

	mu   sync.Mutex // held while waiting for a slot, so that nothing a put needs is behind it
	open openPack

	results sync.Mutex
	err     error
	done    []pack           // put, and in no index object yet
	blobs   int              // in done
	stored  int64            // bytes put
	sizes   map[string]int64 // of the packs put, by name
}

type openPack struct {
	pack
	number uint32
	buf    []byte // of sealed blobs
}

// newPacker makes a packer; close ends it, not the end of ctx.
func newPacker(ctx context.Context, s stage.Storage, e *epoch, x *index) *packer {
	p := &packer{storage: s, epoch: e, index: x, slots: make(chan []byte, inFlight), sizes: map[string]int64{}}
	p.ctx, p.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	for range inFlight {
		p.slots <- nil
	}
	return p
}

// add puts a sealed chunk into the open pack.
func (p *packer) add(ctx context.Context, kind blobKind, id ID, sealed []byte, plain int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.failure(); err != nil {
		return err
	}
	if len(p.open.buf) > 0 && len(p.open.buf)+len(sealed) > packTarget {
		if err := p.sendLocked(ctx); err != nil {
			return err
		}
	}
	if len(p.open.blobs) == 0 {
		name, err := randomName()
		if err != nil {
			return err
		}
		p.open.name = name
		p.open.number = p.index.newPack(name)
	}
	at := location{p.open.number, uint32(len(p.open.buf)), uint32(len(sealed)), uint32(plain)}
	p.open.buf = append(p.open.buf, sealed...)
	p.open.blobs = append(p.open.blobs, blob{kind, id, at.length, at.plain})
	p.index.put(id, at)
	return nil
}

// sendLocked hands the open pack to a goroutine that puts it, and waits while
// enough are on their way.
func (p *packer) sendLocked(ctx context.Context) error {
	if len(p.open.blobs) == 0 {
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
			p.fail(err)
		}
		p.slots <- buf
	})
	return nil
}

// put seals the directory, puts the pack and returns its buffer for the next.
func (p *packer) put(o openPack) ([]byte, error) {
	directory := appendDirectory([]byte{directoryVersion}, o.blobs)
	sealed, err := p.epoch.sealObject(p.ctx, directory, p.epoch.blobName("pack", o.name))
	if err != nil {
		return nil, fmt.Errorf("sealing the directory of a pack: %w", err)
	}
	object := append(o.buf, sealed...)
	object = binary.LittleEndian.AppendUint32(object, uint32(len(sealed)))
	object = append(object, packMagic...)
	if err := p.storage.Put(p.ctx, packName(p.epoch.kid, o.name), object); err != nil {
		return nil, fmt.Errorf("storing a pack: %w", err)
	}
	o.size = int64(len(object))
	if err := p.putDone(o.pack); err != nil {
		return nil, err
	}
	if cap(object) > 2*packTarget { // one large row has grown it
		return nil, nil
	}
	return object[:0], nil
}

// putDone remembers a pack that is put, and puts an index object when enough came together.
func (p *packer) putDone(done pack) error {
	p.results.Lock()
	p.stored += done.size
	p.sizes[done.name] = done.size
	p.done = append(p.done, done)
	p.blobs += len(done.blobs)
	var packs []pack
	if p.blobs >= indexBlobs {
		packs, p.done, p.blobs = p.done, nil, 0
	}
	p.results.Unlock()
	return p.putIndex(p.ctx, packs)
}

func (p *packer) putIndex(ctx context.Context, packs []pack) error {
	if len(packs) == 0 {
		return nil
	}
	name, err := randomName()
	if err != nil {
		return err
	}
	plain, err := appendIndex(nil, packs)
	if err != nil {
		return err
	}
	sealed, err := p.epoch.sealObject(ctx, plain, p.epoch.blobName("index", name))
	if err != nil {
		return fmt.Errorf("sealing an index: %w", err)
	}
	if err := p.storage.Put(ctx, indexName(p.epoch.kid, name), sealed); err != nil {
		return fmt.Errorf("storing an index: %w", err)
	}
	p.results.Lock()
	defer p.results.Unlock()
	p.stored += int64(len(sealed))
	return nil
}

// fail makes err the error of all later calls, and ends the puts under way.
func (p *packer) fail(err error) {
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

// flush makes all that was added durable, and known by an index.
func (p *packer) flush(ctx context.Context) error {
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
	return p.putIndex(ctx, packs)
}

// bytes returns how many were put so far.
func (p *packer) bytes() int64 {
	p.results.Lock()
	defer p.results.Unlock()
	return p.stored
}

var errClosed = errors.New("the repository's writer is closed")

// close ends what is under way.
func (p *packer) close() {
	p.fail(errClosed)
	p.puts.Wait()
}
