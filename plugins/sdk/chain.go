package sdk

import (
	"context"
	"fmt"
	"slices"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/protocol"
)

// chain is one or several byte transforms of this process, in the order of Apply.
type chain []stage.ByteTransform

// maxChain bounds what one call can ask for.
const maxChain = 16

// chain enters the transforms; the call ends with leave.
func (s *server) chain(ids []uint64) (c chain, leave func(), err error) {
	if len(ids) == 0 || len(ids) > maxChain {
		return nil, nil, fmt.Errorf("%w: a chain of %d transforms", protocol.ErrStream, len(ids))
	}
	var entered []func()
	leave = func() {
		for _, l := range entered {
			l()
		}
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			leave()
			return nil, nil, fmt.Errorf("%w: transform %d is twice in a chain", protocol.ErrStream, id)
		}
		t, l, err := enter[stage.ByteTransform](s, id)
		if err != nil {
			leave()
			return nil, nil, err
		}
		entered = append(entered, l)
		c = append(c, t)
	}
	return c, leave, nil
}

// apply returns src as the chain transforms it, in a buffer of the pool.
func (c chain) apply(ctx context.Context, pool *buffers, src []byte, place string) (*[]byte, error) {
	return c.pass(pool, src, func(t stage.ByteTransform, i int, dst, src []byte) ([]byte, error) {
		return t.Apply(ctx, dst, src, place)
	})
}

// invert is the inverse of apply: limit is the most that may come out.
func (c chain) invert(ctx context.Context, pool *buffers, src []byte, place string, limit int) (*[]byte, error) {
	back := slices.Clone(c)
	slices.Reverse(back)
	return back.pass(pool, src, func(t stage.ByteTransform, i int, dst, src []byte) ([]byte, error) {
		most := limit
		if i < len(back)-1 { // what a transform made of limit bytes may be somewhat more
			most = max(len(src), limit) + limit/8 + 1<<10
		}
		return t.Invert(ctx, dst, src, place, most)
	})
}

func (c chain) pass(pool *buffers, src []byte, step func(t stage.ByteTransform, i int, dst, src []byte) ([]byte, error)) (*[]byte, error) {
	out, spare := pool.get(len(src)), pool.get(0)
	for i, t := range c {
		made, err := step(t, i, (*out)[:0], src)
		if err != nil {
			pool.put(out)
			pool.put(spare)
			return nil, err
		}
		*out, src = made, made
		out, spare = spare, out
	}
	pool.put(out)
	return spare, nil
}
