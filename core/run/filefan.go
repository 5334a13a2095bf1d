package run

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
)

// fileFan is the FileWriter given to a source: it counts entries and bytes and passes
// them to every target. It serves one attempt and one goroutine.
type fileFan struct {
	job     *Job
	unit    stage.Unit
	targets []*Target
	units   []stage.FileUnit
	done    map[*Target]*committed

	entry   stage.Entry // the open entry
	passed  int64       // bytes of entry so far
	amount  stage.Amount
	setuid  setuid
	losses  []stage.Loss
	hashes  []string // contents of the file pool that were delivered
	missing []string // contents of the file pool that are lost
}

func (j *Job) attemptFiles(ctx context.Context, w work, targets []*Target, done map[*Target]*committed) error {
	f := &fileFan{job: j, unit: w.Unit, targets: targets, done: done}
	baseline, err := f.baseline(ctx)
	if err != nil {
		return err
	}
	for _, t := range f.targets {
		sink, ok := t.Sink.(stage.FileSink)
		if !ok {
			return errors.Join(fmt.Errorf("%s: the sink cannot write files", t.Name), f.abort(ctx))
		}
		u, err := sink.WriteFiles(ctx, w.Unit)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %s: %w", t.Name, w.ID, err), f.abort(ctx))
		}
		f.units = append(f.units, u)
	}
	source, ok := w.from.Source.(stage.FileSource)
	if !ok {
		return errors.Join(fmt.Errorf("%s: the source plans files but cannot read them", w.from.Name), f.abort(ctx))
	}
	if err := source.ReadFiles(ctx, stage.ReadRequest{Unit: w.Unit, Baseline: baseline}, f); err != nil {
		return errors.Join(fmt.Errorf("%s: %s: %w", w.from.Name, w.ID, err), f.abort(ctx))
	}
	if err := f.commit(ctx); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", w.ID, err), f.abort(ctx))
	}
	return nil
}

// baseline returns what the target already has of the unit. With several targets it
// returns nothing, because the others need the content anyway.
func (f *fileFan) baseline(ctx context.Context) (stage.Baseline, error) {
	if len(f.targets) != 1 {
		return nil, nil
	}
	sink, ok := f.targets[0].Sink.(stage.BaselineSink)
	if !ok {
		return nil, nil
	}
	b, err := sink.Baseline(ctx, f.unit)
	if err != nil {
		return nil, fmt.Errorf("%s: looking up what it already has: %w", f.targets[0].Name, err)
	}
	return b, nil
}

// each calls fn for every target's unit.
func (f *fileFan) each(fn func(stage.FileUnit) error) error {
	for i, u := range f.units {
		if err := fn(u); err != nil {
			return fmt.Errorf("%s: %w", f.targets[i].Name, err)
		}
	}
	return nil
}

func (f *fileFan) Open(ctx context.Context, e stage.Entry) error {
	if f.job.chosen.excludes(e.Path) {
		return fmt.Errorf("%s: %w", e.Path, errIgnored)
	}
	f.entry, f.passed = e, 0
	return f.each(func(u stage.FileUnit) error { return u.Open(ctx, e) })
}

func (f *fileFan) Write(ctx context.Context, data []byte) error {
	if err := f.each(func(u stage.FileUnit) error { return u.Write(ctx, data) }); err != nil {
		return err
	}
	f.passed += int64(len(data))
	f.job.track.add(int64(len(data)), 0, 0)
	return nil
}

func (f *fileFan) Close(ctx context.Context, d stage.Digest) error {
	if err := f.each(func(u stage.FileUnit) error { return u.Close(ctx, d) }); err != nil {
		return err
	}
	f.arrived(f.entry, f.passed)
	f.passed = 0
	return nil
}

func (f *fileFan) Same(ctx context.Context, e stage.Entry) error {
	if f.job.chosen.excludes(e.Path) {
		return fmt.Errorf("%s: %w", e.Path, errIgnored)
	}
	if err := f.each(func(u stage.FileUnit) error { return u.Same(ctx, e) }); err != nil {
		return err
	}
	f.job.track.add(e.Size, 0, 0)
	f.arrived(e, e.Size)
	return nil
}

// arrived counts an entry that all targets have received, and its size.
func (f *fileFan) arrived(e stage.Entry, size int64) {
	if e.Kind != stage.File {
		return
	}
	f.amount.Files++
	f.amount.Bytes += size
	f.job.track.add(0, 0, 1)
	f.setuid.see(e)
	if hash, ok := f.content(e.Path); ok {
		f.hashes = append(f.hashes, hash)
	}
}

// content returns the content hash of a path in the file pool, if the run checks that
// all contents are delivered.
func (f *fileFan) content(path string) (hash string, ok bool) {
	if f.job.contents == nil || f.unit.Part != stage.Filedir {
		return "", false
	}
	return moodle.ContentHash(strings.TrimPrefix(path, stage.Filedir+"/"))
}

func (f *fileFan) Drop(ctx context.Context) error {
	f.job.track.add(-f.passed, 0, 0)
	f.passed = 0
	return f.each(func(u stage.FileUnit) error { return u.Drop(ctx) })
}

func (f *fileFan) Loss(ctx context.Context, l stage.Loss) error {
	f.losses = append(f.losses, l)
	if hash, ok := f.content(l.Path); ok {
		f.missing = append(f.missing, hash)
	}
	return f.each(func(u stage.FileUnit) error { return u.Loss(ctx, l) })
}

// commit commits the unit in all targets, then counts it.
func (f *fileFan) commit(ctx context.Context) error {
	for i, u := range f.units {
		r, err := u.Commit(ctx)
		if err == nil && r == nil {
			err = errors.New("the sink returned no receipt")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.targets[i].Name, err)
		}
		f.done[f.targets[i]] = &committed{receipt: r}
	}
	j := f.job
	for t, c := range f.done {
		t.keep(f.unit.Part, held{c.receipt.Files, c.receipt.Bytes})
		j.ledger.lose(t, c.receipt.Losses...)
	}
	j.read.add(f.unit.Part, f.amount)
	j.ledger.lose(nil, f.losses...)
	j.setuid.merge(&f.setuid)
	for _, hash := range f.hashes {
		if err := j.contents.Delivered(hash); err != nil {
			return err
		}
	}
	for _, hash := range f.missing {
		if err := j.contents.Lost(hash); err != nil {
			return err
		}
	}
	return nil
}

func (f *fileFan) abort(ctx context.Context) error {
	f.job.track.add(-f.amount.Bytes-f.passed, 0, -f.amount.Files)
	return abandon(ctx, f.targets, f.units)
}
