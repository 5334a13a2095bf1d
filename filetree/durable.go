package filetree

import (
	"fmt"
	"os"
	"sync"
)

// disk makes what a sink wrote durable: for many units together, as each sync
// costs as much as hundreds of small files. What is not durable when the machine
// fails was not published either. Safe for concurrent use.
type disk struct {
	turn sync.Mutex // held by who syncs

	mu    sync.Mutex
	begun int     // syncs that have begun
	err   error   // of the first that failed: what it was for may be lost
	since written // since the last sync began
	fileSystems
}

// written is how much a unit wrote: files, directories and links, and bytes.
type written struct{ files, bytes int64 }

// After so much a commit syncs: a full disk or a broken one shows soon, and what
// waits to be written is bounded.
const (
	syncFiles = 20_000
	syncBytes = 512 << 20
)

// commit takes a unit that is written, and syncs if that is much together with
// those before. At the latest settling the target does.
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

// sync returns when everything is durable that was written before it was called.
func (d *disk) sync() error {
	d.mu.Lock()
	next := d.begun + 1 // the first that begins from now on
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

// wrote notes that something will be written in a directory.
func (d *disk) wrote(dir *os.Root) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.add(dir); err != nil {
		return fmt.Errorf("asking for the file system of a directory: %w", err)
	}
	return nil
}

func (d *disk) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closeAll()
}
