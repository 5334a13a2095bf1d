package filetree

import (
	"fmt"
	"os"
	"sync"
)

// disk makes what a sink wrote durable, many units at a time, because each sync costs
// as much as hundreds of small files. Nothing is published before it is durable. It
// is safe for concurrent use.
type disk struct {
	turn sync.Mutex // held while syncing

	mu    sync.Mutex
	begun int     // syncs that have begun
	err   error   // of the first failed sync, whose data may be lost
	since written // since the last sync began
	fileSystems
}

// written counts what a unit wrote: files, directories and links, and bytes.
type written struct{ files, bytes int64 }

// A commit syncs after this much, so that a full or broken disk is noticed soon and
// the unsynced data is bounded.
const (
	syncFiles = 20_000
	syncBytes = 512 << 20
)

// commit counts a finished unit, and syncs if enough was written since the last sync.
// Settling the target syncs the rest.
func (d *disk) commit(w written) error {
	d.mu.Lock()
	d.since.files += w.files
	d.since.bytes += w.bytes
	much := d.since.files >= syncFiles || d.since.bytes >= syncBytes
	if much {
		d.since = written{}
	}
	err := d.err
	d.mu.Unlock()
	if err != nil || !much {
		return err
	}
	return d.sync()
}

// sync makes everything durable that was written before the call.
func (d *disk) sync() error {
	d.mu.Lock()
	next := d.begun + 1 // the first sync that begins from now on
	d.mu.Unlock()
	d.turn.Lock()
	defer d.turn.Unlock()
	d.mu.Lock()
	if d.err != nil || d.begun >= next {
		defer d.mu.Unlock()
		return d.err
	}
	d.begun++
	all := d.all()
	d.mu.Unlock()
	err := syncAll(all)
	if err != nil {
		err = fmt.Errorf("making files durable: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
	return err
}

// wrote records that something will be written in a directory.
func (d *disk) wrote(dir *os.Root) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.add(dir); err != nil {
		return fmt.Errorf("identifying the file system of a directory: %w", err)
	}
	return nil
}

func (d *disk) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closeAll()
}
