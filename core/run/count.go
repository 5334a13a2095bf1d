package run

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
)

// count is a table whose source is asked to count its rows. Comparing counts detects
// a server, proxy or setting that withholds rows from a read.
type count struct {
	table string
	by    stage.Counter
	from  *Origin
}

// count counts the rows of a table and retries temporary errors.
func (j *Job) count(ctx context.Context, c count) error {
	path := stage.DB + "/" + c.table
	j.track.began("count " + path)
	var n int64
	err := j.retry(ctx, path, func() (err error) {
		if n, err = c.by.Count(ctx, c.table); err != nil {
			return fmt.Errorf("%s: counting the rows of table %s: %w", c.from.Name, c.table, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n >= 0 {
		j.tallies[c.table].count(n)
	}
	return nil
}
