package filetree

import (
	"fmt"
	"os"
	"sync"
)

// disk makes what a sink wrote durable. Units that commit at about the same time
// share one sync: with many small files each costs more than what it saves.
// Safe for concurrent use.
type disk struct {
	turn sync.Mutex // held by who syncs

	mu    sync.Mutex
	begun int   // syncs that have begun
	err   error // of the first that failed: what it was for may be lost
	fileSystems
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
