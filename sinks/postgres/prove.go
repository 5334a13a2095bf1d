package postgres

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/postgres"
)

// piece is the part of a table that is read back at once.
type piece struct {
	table *postgres.Table
	keys  *keyrange.Range
}

// Prove reads structure and rows of every table back, with the source's reader.
func (s *Sink) Prove(ctx context.Context) ([]stage.TableProof, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	conn = s.beside(conn)
	listing, err := conn.List(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{} // by full name
	for name := range s.byName {
		names[s.work.Full(name)] = name
	}
	for i := range listing.Tables {
		r := &listing.Tables[i]
		r.Name = names[s.work.Prefix+r.Name]
	}
	listing.Tables = slices.DeleteFunc(listing.Tables, func(r postgres.Relation) bool { return s.byName[r.Name] == nil })
	if len(listing.Tables) != len(s.builds) {
		return nil, failure.New(failure.Unproven, "%s: %d tables were restored, but the target has only %d", conn.Address, len(s.builds), len(listing.Tables))
	}
	catalog, err := conn.Inspect(ctx, listing)
	if err != nil {
		return nil, err
	}
	var pieces []piece
	for _, t := range catalog.Tables {
		ranges, err := conn.Ranges(ctx, t, postgres.UnitBytes)
		if err != nil {
			return nil, err
		}
		if len(ranges) < 2 {
			pieces = append(pieces, piece{table: t})
			continue
		}
		for i := range ranges {
			pieces = append(pieces, piece{t, &ranges[i]})
		}
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return int(b.table.Bytes>>10 - a.table.Bytes>>10) })
	sums, err := s.readBack(ctx, pieces)
	if err != nil {
		return nil, err
	}
	proofs := make([]stage.TableProof, len(catalog.Tables))
	for i, t := range catalog.Tables {
		s.builder.Original(&t.Table)
		proofs[i] = stage.TableProof{Schema: t.Table, Sum: sums[t.Name], Losses: s.lost[t.Name]}
	}
	return proofs, nil
}

// readBack sums up pieces by table. It retries a piece whose session is lost, because
// otherwise everything would have been loaded in vain.
func (s *Sink) readBack(ctx context.Context, pieces []piece) (map[string]rows.Sum, error) {
	const attempts = 3
	sums := map[string]rows.Sum{}
	for try := 1; ; try++ {
		var mu sync.Mutex
		var lost []piece
		err := postgres.Each(ctx, s.pool, pieces, func(ctx context.Context, c *postgres.Conn, p piece) error {
			defer stage.Step(ctx, "reading back "+p.table.Name)()
			var sum rows.Sum
			r := postgres.Reader{Table: &p.table.Table, Partitioned: p.table.Partitioned, Range: p.keys}
			err := c.Read(ctx, r, func(_ context.Context, data []byte, _ int) error { return sum.AddChunk(data) })
			mu.Lock()
			defer mu.Unlock()
			if postgres.Lost(err) && try < attempts && ctx.Err() == nil {
				lost = append(lost, p)
				return nil
			}
			if err == nil {
				total := sums[p.table.Name]
				total.Merge(sum)
				sums[p.table.Name] = total
			}
			return err
		})
		if err != nil || lost == nil {
			return sums, err
		}
		pieces = lost
		if err := sleep(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}
