package mysql

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lmsvault/vault/core/keyrange"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/mysql"
)

// Prove reads every table back, with key ranges in parallel.
func (s *sink) Prove(ctx context.Context) ([]stage.TableProof, error) {
	proofs, err := s.prove(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading back: %w", err)
	}
	return proofs, nil
}

func (s *sink) prove(ctx context.Context) ([]stage.TableProof, error) {
	names := map[string]string{}
	for _, t := range s.tables {
		names[t.at] = t.Name
	}
	st, err := s.server.InspectAs(ctx, names)
	if err != nil {
		return nil, err
	}
	found := map[string]*mysql.Table{}
	for k := range st.Tables {
		found[st.Tables[k].Name] = &st.Tables[k]
	}
	proofs := make([]stage.TableProof, len(s.tables))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(s.env.Workers, 1))
	for k, planned := range s.tables {
		there, ok := found[planned.Name]
		if !ok {
			return nil, errors.Join(fmt.Errorf("%s: table %s is missing", s.server.Address, planned.Name), group.Wait())
		}
		proofs[k].Schema = s.writer.AsPlanned(&planned.Table, there.Table)
		ranges, err := s.ranges(ctx, there)
		if err != nil {
			return nil, errors.Join(err, group.Wait())
		}
		for _, r := range ranges {
			group.Go(func() error {
				defer stage.Step(ctx, "reading back "+planned.Name)()
				sum, err := s.sum(ctx, there.FullName, planned.Table, r)
				if err != nil {
					return fmt.Errorf("%s: table %s: %w", s.server.Address, planned.Name, err)
				}
				mu.Lock()
				defer mu.Unlock()
				proofs[k].Sum.Merge(sum)
				return nil
			})
		}
	}
	return proofs, group.Wait()
}

func (s *sink) ranges(ctx context.Context, t *mysql.Table) (_ []keyrange.Range, err error) {
	conn, err := s.server.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return t.Ranges(ctx, conn)
}

// sum reads the rows with the columns and kinds of the plan, in the plan's order.
func (s *sink) sum(ctx context.Context, fullName string, planned schema.Table, within keyrange.Range) (sum rows.Sum, err error) {
	conn, err := s.server.Conn(ctx)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	b := rows.NewBuilder(func(_ context.Context, data []byte, _ int) error { return sum.AddChunk(data) })
	if err := mysql.NewReader(fullName, planned).Read(ctx, conn, within, b); err != nil {
		return sum, err
	}
	return sum, b.Flush(ctx)
}
