package filetree

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// removeTree removes what is in dir, at path below the root, but for what is to
// be kept. Links are removed, not followed.
func removeTree(ctx context.Context, dir *os.Root, path string, keeping func(string) Keeping) error {
	for name, err := range Names(dir) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("replacing what is there: %w", err)
		}
		below := join(path, name)
		switch keeping(below) {
		case Keep:
			continue
		case Descend:
			child, err := OpenDir(dir, name)
			if err == nil {
				err = errors.Join(removeTree(ctx, child, below, keeping), child.Close())
				if err != nil {
					return err
				}
				continue
			}
			if !errors.Is(err, ErrNotDir) {
				return fmt.Errorf("replacing what is there: %w", err)
			}
		}
		if err := dir.RemoveAll(name); err != nil {
			return fmt.Errorf("replacing what is there: %w", err)
		}
	}
	return nil
}
