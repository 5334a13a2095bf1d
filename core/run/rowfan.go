package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// rowFan is the RowWriter given to a source: it sums up rows and passes them to every
// target. It serves one attempt and one goroutine.
type rowFan struct {
	job     *Job
	unit    stage.Unit
	targets []*Target
	units   []stage.RowUnit
	done    map[*Target]*committed
	sum     rows.Sum
	bytes   int64
	losses  []stage.Loss
}

func (j *Job) attemptRows(ctx context.Context, w work, targets []*Target, done map[*Target]*committed) error {
	f := &rowFan{job: j, unit: w.Unit, targets: targets, done: done}
	for _, t := range f.targets {
		u, err := t.writeRows(ctx, w.Unit)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %s: %w", t.Name, w.ID, err), f.abort(ctx))
		}
		f.units = append(f.units, u)
	}
	source, ok := w.from.Source.(stage.RowSource)
	if !ok {
		return errors.Join(fmt.Errorf("%s: the source plans rows but cannot read them", w.from.Name), f.abort(ctx))
	}
	if err := source.ReadRows(ctx, stage.ReadRequest{Unit: w.Unit}, f); err != nil {
		return errors.Join(fmt.Errorf("%s: %s: %w", w.from.Name, w.ID, err), f.abort(ctx))
	}
	if err := f.commit(ctx); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", w.ID, err), f.abort(ctx))
	}
	return nil
}

func (f *rowFan) Write(ctx context.Context, c stage.Chunk) error {
	if err := f.sum.AddChunk(c.Data); err != nil {
		return fmt.Errorf("table %s: %w", f.unit.Table, err)
	}
	if err := checkRows(f.job.tallies[f.unit.Table].filter, c.Data); err != nil {
		return fmt.Errorf("table %s: %w", f.unit.Table, err)
	}
	if f.unit.Table == moodle.FilesTable && f.job.contents != nil {
		if err := f.job.contents.Named(ctx, f.job.tallies[f.unit.Table].schema, c.Data); err != nil {
			return err
		}
	}
	if err := f.write(ctx, c); err != nil {
		return err
	}
	f.bytes += int64(len(c.Data))
	f.job.track.add(int64(len(c.Data)), int64(c.Rows), 0)
	return nil
}

// write passes a chunk to all targets. An oversized chunk is a single row, and
// targets need as much memory again for it, so only one passes at a time.
func (f *rowFan) write(ctx context.Context, c stage.Chunk) error {
	if len(c.Data) > rows.MaxChunk {
		if err := f.job.large.Acquire(ctx, 1); err != nil {
			return err
		}
		defer f.job.large.Release(1)
	}
	return f.each(func(u stage.RowUnit) error { return u.Write(ctx, c) })
}

func (f *rowFan) Loss(ctx context.Context, l stage.Loss) error {
	f.losses = append(f.losses, l)
	return f.each(func(u stage.RowUnit) error { return u.Loss(ctx, l) })
}

// each calls fn for every target's unit.
func (f *rowFan) each(fn func(stage.RowUnit) error) error {
	for i, u := range f.units {
		if err := fn(u); err != nil {
			return fmt.Errorf("%s: %w", f.targets[i].Name, err)
		}
	}
	return nil
}

// commit commits the unit in all targets, then counts it.
func (f *rowFan) commit(ctx context.Context) error {
	for i, u := range f.units {
		r, err := u.Commit(ctx)
		if err == nil {
			err = f.check(u, r)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.targets[i].Name, err)
		}
		mapped, _ := u.(*mappedUnit)
		f.done[f.targets[i]] = &committed{r, mapped}
	}
	j := f.job
	for t, c := range f.done {
		if c.mapped != nil {
			c.mapped.count()
		}
		t.refused(f.unit.Table, c.receipt.Losses, j.tallies)
		j.ledger.lose(t, c.receipt.Losses...)
	}
	tally := j.tallies[f.unit.Table]
	tally.merge(f.sum)
	j.read.add(f.unit.Part, stage.Amount{Rows: f.sum.Rows})
	j.ledger.lose(nil, f.losses...)
	for _, l := range f.losses {
		switch l.Kind {
		case stage.LossStored:
			tally.damage(l.Count)
		case stage.LossRow:
			tally.lose(max(l.Count, 1))
		}
	}
	return nil
}

// check compares the number of rows that a target reports with the number written to
// it.
func (f *rowFan) check(u stage.RowUnit, r *stage.Receipt) error {
	if r == nil {
		return errors.New("the sink returned no receipt")
	}
	want := f.sum.Rows
	if m, ok := u.(*mappedUnit); ok {
		want = m.sum.Rows
	}
	for _, l := range r.Losses {
		if l.Row != nil {
			want--
		}
	}
	if r.Rows != want {
		return fmt.Errorf("the sink reports %d rows of table %s, but was given %d", r.Rows, f.unit.Table, want)
	}
	return nil
}

func (f *rowFan) abort(ctx context.Context) error {
	f.job.track.add(-f.bytes, -f.sum.Rows, 0)
	return abandon(ctx, f.targets, f.units)
}
