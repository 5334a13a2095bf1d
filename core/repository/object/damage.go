package object

import (
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
)

// Damage is the error for a stored object that is missing, modified or truncated.
// It wraps stage.ErrCorrupt or stage.ErrNotExist.
type Damage struct {
	Object string // its name in the storage; "" if no object is known to hold the chunk
	Chunk  string // the chunk's ID in hex; "" if the whole object is affected
	Err    error
}

func (d *Damage) Error() string {
	switch {
	case d.Chunk == "":
		return fmt.Sprintf("%s: %v", d.Object, d.Err)
	case d.Object == "":
		return fmt.Sprintf("chunk %s: %v", d.Chunk, d.Err)
	}
	return fmt.Sprintf("%s: chunk %s: %v", d.Object, d.Chunk, d.Err)
}

func (d *Damage) Unwrap() error { return d.Err }

// AsDamage returns the Damage in err, and whether there is one: other errors mean
// that the storage can't be reached or the run was cancelled.
func AsDamage(err error) (*Damage, bool) {
	var d *Damage
	if errors.As(err, &d) {
		return d, true
	}
	return nil, false
}

// Damaged returns err as a Damage of the object and chunk if it reports damage;
// otherwise it adds their names to err.
func Damaged(object, chunk string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, stage.ErrCorrupt) || errors.Is(err, stage.ErrNotExist) {
		return &Damage{Object: object, Chunk: chunk, Err: err}
	}
	return fmt.Errorf("%s: %w", object, err)
}

var ErrStray = fmt.Errorf("%w: not a Vault object; it is ignored and safe to delete", stage.ErrCorrupt)
