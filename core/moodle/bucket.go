package moodle

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// bucket is an append-only file written in large pieces.
type bucket struct {
	mu   sync.Mutex
	file string
	buf  []byte
}

const bucketBuffer = 8 << 10

func (b *bucket) add(record, tail []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf = append(append(b.buf, record...), tail...)
	if len(b.buf) < bucketBuffer-recordSize {
		return nil
	}
	return b.flush()
}

func (b *bucket) flush() error {
	f, err := os.OpenFile(b.file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("writing content hashes: %w", err)
	}
	_, err = f.Write(b.buf)
	b.buf = b.buf[:0]
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing content hashes: %w", err)
	}
	return nil
}

// take returns everything that was added.
func (b *bucket) take() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, err := os.ReadFile(b.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading content hashes: %w", err)
	}
	return append(data, b.buf...), nil
}
