package conformance

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
)

// shelf is what a sink of files writes to.
type shelf struct {
	mu      sync.Mutex
	files   map[string]string
	touched bool
	half    bool // a run has begun and none was published since
}

// writing is a correct sink of files, except for the named fault.
type writing struct {
	*plugged
	born   int
	fault  string
	shelf  *shelf
	begun  bool
	closed bool
	swap   bool
	old    map[string]string // for a swap: the content until Publish
}

func (s *writing) alive(ctx context.Context) error {
	if s.life() != s.born && s.fault != "finishes without lost units" {
		return errGone
	}
	if s.fault == "ignores the context" {
		return nil
	}
	return ctx.Err()
}

func (s *writing) Check(ctx context.Context, p *stage.Plan) (stage.Findings, error) {
	if err := s.alive(ctx); err != nil {
		return stage.Findings{}, err
	}
	s.shelf.touched = s.shelf.touched || s.fault == "writes while it checks"
	if s.shelf.half || len(s.shelf.files) > 0 && p.Replace != stage.ReplaceSwap {
		return stage.Findings{}, failure.New(failure.Refused, "something is there")
	}
	return stage.Findings{}, nil
}

func (s *writing) Begin(ctx context.Context, p *stage.Plan) error {
	if s.swap = p.Replace == stage.ReplaceSwap && len(s.shelf.files) > 0; s.swap {
		s.old, s.shelf.files = s.shelf.files, map[string]string{}
	}
	s.shelf.half, s.begun = true, true
	return s.alive(ctx)
}

func (s *writing) WriteFiles(ctx context.Context, u stage.Unit) (stage.FileUnit, error) {
	return &page{sink: s, unit: u, files: map[string]string{}}, s.alive(ctx)
}

func (s *writing) Finish(ctx context.Context, _ *stage.Outcome) error { return s.alive(ctx) }

func (s *writing) Prove(ctx context.Context) ([]stage.TableProof, error) { return nil, s.alive(ctx) }

func (s *writing) Publish(ctx context.Context) error {
	s.shelf.half = false
	if s.fault == "keeps the old site too" {
		maps.Copy(s.shelf.files, s.old)
	}
	return s.alive(ctx)
}

func (s *writing) Abort(context.Context) error {
	if s.swap && s.fault != "clears the target first" {
		s.shelf.half, s.shelf.files = false, s.old
	}
	if s.fault == "forgets that it was aborted" {
		s.shelf.half, s.shelf.files = false, map[string]string{}
	}
	return nil
}

func (s *writing) Close(context.Context) error {
	if s.closed && s.fault == "can't be closed twice" {
		return errors.New("closed already")
	}
	s.closed = true
	return nil
}

// page is an open unit.
type page struct {
	sink   *writing
	unit   stage.Unit
	files  map[string]string
	path   string
	closed int64
	done   bool
}

func (p *page) Open(ctx context.Context, e stage.Entry) error {
	p.path, p.files[e.Path] = e.Path, ""
	return p.sink.alive(ctx)
}

func (p *page) Write(ctx context.Context, data []byte) error {
	p.files[p.path] += string(data)
	return p.sink.alive(ctx)
}

func (p *page) Close(ctx context.Context, _ stage.Digest) error {
	p.closed++
	return p.sink.alive(ctx)
}

func (p *page) Same(context.Context, stage.Entry) error { return errors.New("nothing is known") }
func (p *page) Loss(context.Context, stage.Loss) error  { return nil }

func (p *page) Drop(ctx context.Context) error {
	if p.sink.fault == "keeps dropped entries" {
		p.files[p.path+".dropped"] = ""
	}
	delete(p.files, p.path)
	return p.sink.alive(ctx)
}

func (p *page) Commit(ctx context.Context) (*stage.Receipt, error) {
	if p.sink.fault == "keeps a unit twice" {
		p.keep("")
	}
	if err := p.sink.alive(ctx); err != nil {
		return nil, err
	}
	p.done = true
	if p.sink.fault == "keeps a unit twice" {
		return &stage.Receipt{Files: p.closed}, nil
	}
	if p.sink.fault != "loses a unit" || p.unit.ID != "filedir/01" {
		p.keep("")
	}
	if p.sink.fault == "returns no receipt" {
		return nil, nil
	}
	r := &stage.Receipt{Files: p.closed}
	if p.sink.fault == "counts too many files" {
		r.Files++
	}
	return r, nil
}

func (p *page) keep(mark string) {
	p.sink.shelf.mu.Lock()
	defer p.sink.shelf.mu.Unlock()
	for path, content := range p.files {
		if _, there := p.sink.shelf.files[path]; there && p.sink.fault == "keeps a unit twice" {
			path += ".2"
		}
		p.sink.shelf.files[path+mark] = content
	}
}

func (p *page) Abort(context.Context) error {
	if !p.done && p.sink.fault == "keeps an aborted unit" {
		p.keep(".tmp")
	}
	return nil
}

func sinkSuite(fault string) []Check {
	process := &plugged{}
	plan, units := SampleUnits([]string{stage.Filedir}, "")
	return SinkChecks(SinkFixture{
		Plan: plan, Units: units, Process: process, effort: little,
		Place: func(testing.TB) Target {
			at := &shelf{files: map[string]string{}}
			return Target{
				Open: func() stage.Sink { return &writing{plugged: process, born: process.life(), fault: fault, shelf: at} },
				Untouched: func(t testing.TB) {
					if at.touched || at.half || len(at.files) > 0 {
						t.Errorf("the target was touched: %d files", len(at.files))
					}
				},
				Holds: func(t testing.TB, items []Item) {
					left := maps.Clone(at.files)
					for _, item := range items {
						if got, ok := left[item.Entry.Path]; !ok || got != string(item.Content()) {
							t.Errorf("%s is missing or incomplete", item.Entry.Path)
						}
						delete(left, item.Entry.Path)
					}
					if len(left) > 0 {
						t.Errorf("the target also holds %q", slices.Collect(maps.Keys(left)))
					}
				},
			}
		},
	})
}
