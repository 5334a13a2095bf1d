package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/lmsvault/vault/core/stage"
)

// connection keeps one Server. If it is lost, the next call makes a new one.
type connection struct {
	dial func(ctx context.Context) (Server, error)
	log  *slog.Logger

	mu     sync.Mutex
	server Server
	once   bool // a connection has been made before
}

// do makes a call. A lost connection is a temporary error.
func (c *connection) do(ctx context.Context, call func(s Server) error) error {
	s, err := c.connected(ctx)
	if err != nil {
		return err
	}
	err = call(s)
	switch {
	case err == nil:
	case ctx.Err() == nil && s.Lost(err):
		c.drop(s)
		return stage.Temporary(fmt.Errorf("connection lost: %w", err), 0)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", stage.ErrNotExist, err)
	}
	return err
}

// connected returns the Server, connecting if there is none. If the first attempt fails,
// the error is permanent, since the user must fix it; later failures are temporary.
func (c *connection) connected(ctx context.Context) (Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil || c.server != nil {
		return c.server, err
	}
	s, err := c.dial(ctx)
	switch {
	case err == nil:
		c.server, c.once = s, true
		return s, nil
	case ctx.Err() != nil:
		return nil, errors.Join(ctx.Err(), err)
	case c.once:
		return nil, stage.Temporary(fmt.Errorf("reconnecting: %w", err), 0)
	}
	return nil, fmt.Errorf("connecting: %w", err)
}

// drop closes a lost Server, unless another call already did.
func (c *connection) drop(lost Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != lost {
		return
	}
	c.server = nil
	c.log.Warn("connection lost", "closing what is left of it", lost.Close())
}

// Close closes the connection.
func (c *connection) Close(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return nil
	}
	err := c.server.Close()
	c.server = nil
	return err
}

// piece is the number of bytes read between checks of the context.
const piece = 4 << 20

// reader reads until its context ends.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p[:min(len(p), piece)])
}
