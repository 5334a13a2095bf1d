package main

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"io"

	"github.com/lmsvault/vault/plugins/sdk"
)

// Config has the settings given under with: in a pipeline. Vault checks them against the
// tags and generates help from them.
type Config struct {
	Level int `key:"level" min:"1" max:"9" default:"6" help:"compression level; higher is smaller and slower"`
}

func declaration() sdk.Stage {
	return sdk.ByteStage("my-stage", "Compresses data for storage in the zlib format.",
		"A restore decompresses the data automatically and needs this plugin to do so.", open)
}

func open(_ context.Context, c *Config, _ sdk.Env) (sdk.ByteTransform, error) {
	return &transform{level: c.Level}, nil
}

// transform is an sdk.ByteTransform. Vault calls it from many goroutines at once.
type transform struct {
	sdk.UnimplementedByteTransform
	level int
}

// Apply appends the transformed src to dst. The last parameter is the name of the blob, for
// transforms that authenticate.
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

// Invert appends to dst what was passed to Apply, at most limit bytes, because stored data
// may have been manipulated.
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
		return dst, fmt.Errorf("%w: more than %d bytes", sdk.ErrCorrupt, limit)
	case in.Len() > 0:
		return dst, fmt.Errorf("%w: %d bytes after the end", sdk.ErrCorrupt, in.Len())
	}
	return out.Bytes(), r.Close()
}
