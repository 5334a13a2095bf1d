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

// connection keeps one Server, and makes another when it is lost.
type connection struct {
	dial func(ctx context.Context) (Server, error)
	log  *slog.Logger

	mu     sync.Mutex
	server Server
}

// do makes a call; one that finds the connection lost is made again on a new one.
func (c *connection) do(ctx context.Context, call func(s Server) error) error {
	s, err := c.connected(ctx, nil)
	if err == nil {
		err = call(s)
	}
	if err != nil && s != nil && ctx.Err() == nil && s.Lost(err) {
		c.log.Warn("the connection is lost, and made again", "error", err)
		if s, err = c.connected(ctx, s); err == nil {
			err = call(s)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", stage.ErrNotExist, err)
	}
	return err
}

// connected returns the Server, a new one if there is none but the lost one.
func (c *connection) connected(ctx context.Context, lost Server) (_ Server, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case c.server != lost:
		return c.server, nil
	case lost != nil:
		c.log.Debug("what is left of the connection is closed", "error", lost.Close())
		c.server = nil
	}
	s, err := c.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	c.server = s
	return s, nil
}

// Close ends the connection.
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

// piece is how many bytes are read between two looks at the context.
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
