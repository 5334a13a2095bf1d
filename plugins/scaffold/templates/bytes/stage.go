package main

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"io"

	"github.com/lmsvault/vault/plugins/sdk"
)

// Config is what with: may hold in a pipeline. Vault checks values against the
// tags, and makes its help of them.
type Config struct {
	Level int `key:"level" min:"1" max:"9" default:"6" help:"how hard to try to make things smaller"`
}

func declaration() sdk.Stage {
	return sdk.ByteStage("my-stage", "Makes what goes to storage smaller, in zlib's format.",
		"A restore undoes it by itself, and needs this plugin for that.", open)
}

func open(_ context.Context, c *Config, _ sdk.Env) (sdk.ByteTransform, error) {
	return &transform{level: c.Level}, nil
}

// transform is the sdk.ByteTransform. Vault calls it from many goroutines at once.
type transform struct {
	sdk.UnimplementedByteTransform
	level int
}

// Apply appends the transformed src to dst. place names the blob, for transforms
// that authenticate.
func (t *transform) Apply(_ context.Context, dst, src []byte, _ string) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	w, err := zlib.NewWriterLevel(out, t.level)
	if err != nil {
		return dst, err
	}
	if _, err := w.Write(src); err != nil {
		return dst, err
	}
	if err := w.Close(); err != nil {
		return dst, err
	}
	return out.Bytes(), nil
}

// Invert appends to dst what Apply was given, limit bytes at most: what is
// stored may have been tampered with.
func (t *transform) Invert(_ context.Context, dst, src []byte, _ string, limit int) ([]byte, error) {
	in := bytes.NewReader(src)
	r, err := zlib.NewReader(in)
	if err != nil {
		return dst, fmt.Errorf("%w: %w", sdk.ErrCorrupt, err)
	}
	out := bytes.NewBuffer(dst)
	n, err := io.Copy(out, io.LimitReader(r, int64(limit)+1))
	switch {
	case err != nil:
		return dst, fmt.Errorf("%w: %w", sdk.ErrCorrupt, err)
	case n > int64(limit):
		return dst, fmt.Errorf("%w: it has more than %d bytes", sdk.ErrCorrupt, limit)
	case in.Len() > 0:
		return dst, fmt.Errorf("%w: %d bytes follow its end", sdk.ErrCorrupt, in.Len())
	}
	return out.Bytes(), r.Close()
}
