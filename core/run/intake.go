package run

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/stage"
)

// intake is the Writer that a source sees: it counts and proves what passes, and
// hands it to every target that holds the unit's part. Used by one goroutine.
type intake struct {
	job     *Job
	unit    stage.Unit
	targets []*Target
	writers []stage.UnitWriter
	entry   stage.Entry
	sum     rows.Sum
	passed  int64 // bytes of the open entry
	files   held  // that were closed
	amount  stage.Amount
}

// held is how much of a part a target holds.
type held struct{ files, bytes int64 }

func (h *held) add(other held) {
	h.files += other.files
	h.bytes += other.bytes
}

func (j *Job) intake(ctx context.Context, u stage.Unit) (*intake, stage.Known, error) {
	in := &intake{job: j, unit: u}
	var known stage.Known
	for _, t := range j.Targets {
		if !t.holds(u.Part) {
			continue
		}
		in.targets = append(in.targets, t)
	}
	if len(in.targets) == 1 {
		// With a second target the content is needed for that one anyway.
		if k, ok := in.targets[0].Sink.(stage.Knower); ok {
			var err error
			if known, err = k.Known(ctx, u); err != nil {
				return nil, nil, fmt.Errorf("%s: what is known of %s: %w", in.targets[0].Name, u.ID, err)
			}
		}
	}
	for _, t := range in.targets {
		w, err := t.unit(ctx, u)
		if err != nil {
			return nil, nil, errors.Join(err, in.abort(ctx))
		}
		in.writers = append(in.writers, w)
	}
	return in, known, nil
}

// each calls fn for every target's writer.
func (in *intake) each(fn func(stage.UnitWriter) error) error {
	for i, w := range in.writers {
		if err := fn(w); err != nil {
			return fmt.Errorf("%s: %w", in.targets[i].Name, err)
		}
	}
	return nil
}

func (in *intake) Open(ctx context.Context, e stage.Entry) error {
	in.entry, in.passed = e, 0
	return in.each(func(w stage.UnitWriter) error { return w.Open(ctx, e) })
}

func (in *intake) Write(ctx context.Context, c stage.Chunk) error {
	if in.unit.Part == stage.DB {
		if err := in.sum.AddChunk(c.Data); err != nil {
			return fmt.Errorf("table %s: %w", in.unit.Table, err)
		}
		if in.unit.Table == moodle.FilesTable && in.job.closure != nil {
			if err := in.job.closure.Named(ctx, in.job.tallies[in.unit.Table].schema, c.Data); err != nil {
				return err
			}
		}
	}
	if err := in.write(ctx, c); err != nil {
		return err
	}
	in.passed += int64(len(c.Data))
	in.job.track.add(int64(len(c.Data)), int64(c.Rows), 0)
	return nil
}

// write hands a chunk to all targets. A chunk beyond the limit is a single row,
// and what targets make of it is as large again: only one passes at a time.
func (in *intake) write(ctx context.Context, c stage.Chunk) error {
	if len(c.Data) > rows.MaxChunk {
		if err := in.job.large.Acquire(ctx, 1); err != nil {
			return err
		}
		defer in.job.large.Release(1)
	}
	return in.each(func(w stage.UnitWriter) error { return w.Write(ctx, c) })
}

func (in *intake) Close(ctx context.Context, d stage.Digest) error {
	if err := in.each(func(w stage.UnitWriter) error { return w.Close(ctx, d) }); err != nil {
		return err
	}
	return in.arrived(in.entry, in.passed)
}

func (in *intake) Same(ctx context.Context, e stage.Entry) error {
	if err := in.each(func(w stage.UnitWriter) error { return w.Same(ctx, e) }); err != nil {
		return err
	}
	in.job.track.add(e.Size, 0, 0)
	return in.arrived(e, e.Size)
}

// arrived counts an entry of a size that all targets have.
func (in *intake) arrived(e stage.Entry, size int64) error {
	if e.Kind != stage.File {
		return nil
	}
	in.amount.Files++
	in.amount.Bytes += size
	in.files.add(held{1, size})
	in.job.track.add(0, 0, 1)
	in.job.setuid.see(e)
	hash, ok := moodle.ContentHash(strings.TrimPrefix(e.Path, stage.Filedir+"/"))
	if ok && in.job.closure != nil && in.unit.Part == stage.Filedir {
		return in.job.closure.Delivered(hash)
	}
	return nil
}

func (in *intake) Drop(ctx context.Context) error {
	in.job.track.add(-in.passed, 0, 0)
	return in.each(func(w stage.UnitWriter) error { return w.Drop(ctx) })
}

func (in *intake) Loss(ctx context.Context, l stage.Loss) error {
	in.job.ledger.lose(nil, l)
	if in.unit.Part == stage.DB {
		switch l.Kind {
		case stage.LossStored:
			in.job.tallies[in.unit.Table].damage(l.Count)
		case stage.LossRow:
			in.job.tallies[in.unit.Table].lose(max(l.Count, 1))
		}
	}
	if hash, ok := moodle.ContentHash(strings.TrimPrefix(l.Path, stage.Filedir+"/")); ok && in.job.closure != nil && in.unit.Part == stage.Filedir {
		if err := in.job.closure.Lost(hash); err != nil {
			return err
		}
	}
	return in.each(func(w stage.UnitWriter) error { return w.Loss(ctx, l) })
}

// commit makes the unit safe in all targets, and counts it only then.
func (in *intake) commit(ctx context.Context) error {
	if err := in.each(func(w stage.UnitWriter) error { return w.Commit(ctx) }); err != nil {
		return err
	}
	for i, w := range in.writers {
		refused := w.Refused()
		in.targets[i].refused(in.unit.Table, refused, in.job.tallies)
		in.job.ledger.lose(in.targets[i], refused...)
	}
	if in.unit.Part == stage.DB {
		in.job.tallies[in.unit.Table].merge(in.sum)
		in.amount.Rows = in.sum.Rows
		in.job.read.add(in.unit.Part, in.amount)
		return nil
	}
	for _, t := range in.targets {
		t.keep(in.unit.Part, in.files)
	}
	in.job.read.add(in.unit.Part, in.amount)
	return nil
}

func (in *intake) abort(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for i, w := range in.writers {
		if err := w.Abort(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: aborting %s: %w", in.targets[i].Name, in.unit.ID, err))
		}
	}
	return errors.Join(errs...)
}
