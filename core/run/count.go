package run

import (
	"context"
	"fmt"

	"github.com/lmsvault/vault/core/stage"
)

// count is a table that its source is asked to count: a server, a proxy or a
// setting that withholds rows from a read is found by it.
type count struct {
	table string
	by    stage.Counter
	from  *Origin
}

// count has a table counted.
func (j *Job) count(ctx context.Context, c count) error {
	j.track.began("count " + stage.DB + "/" + c.table)
	n, err := c.by.Count(ctx, c.table)
	if err != nil {
		return fmt.Errorf("%s: counting the rows of table %s: %w", c.from.Name, c.table, err)
	}
	if n >= 0 {
		j.tallies[c.table].count(n)
	}
	return nil
}
