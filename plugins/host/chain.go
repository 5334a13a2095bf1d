package host

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/grpc"

	"github.com/lmsvault/vault/core/stage"
)

// together makes a call of several instances, which are open in one process then.
func together(ctx context.Context, all []*instance, call func(c grpc.ClientConnInterface, ids []uint64) error) error {
	return all[0].do(ctx, func(c grpc.ClientConnInterface, id uint64) error {
		ids := []uint64{id}
		for _, i := range all[1:] {
			p, id, err := i.open(ctx)
			if err != nil {
				return err
			}
			if grpc.ClientConnInterface(p.conn) != c {
				return &lost{errors.New("the plugin was started again meanwhile")}
			}
			ids = append(ids, id)
		}
		return call(c, ids)
	})
}

// chained is a ByteTransform of a plugin that can be part of a chain.
type chained interface {
	stage.ByteTransform
	instances() []*instance
}

// sameProcess tells whether instances run in one process, whichever that is now.
func sameProcess(all []*instance) bool {
	for _, i := range all {
		if i.host != all[0].host || i.program.key() != all[0].program.key() {
			return false
		}
	}
	return true
}

// Fuse makes one of two transforms of the same process.
func (b byteTransform) Fuse(next stage.ByteTransform) (stage.ByteTransform, bool) {
	n, ok := next.(chained)
	if !ok {
		return nil, false
	}
	all := append(slices.Clone(b.chain), n.instances()...)
	for _, i := range all {
		if !i.has("chain") {
			return nil, false
		}
	}
	if !sameProcess(all) {
		return nil, false
	}
	return byteTransform{all}, true
}

var (
	_ stage.Fuser     = byteTransform{}
	_ stage.Fuser     = (*keyed)(nil)
	_ stage.Assembler = storage{}
)
