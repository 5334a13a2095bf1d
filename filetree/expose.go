package filetree

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/maintenance"
	"github.com/lmsvault/vault/core/stage"
)

// exposure describes a complete new tree in the directory SwapName, so that another process
// can publish it. It is stored as JSON.
type exposure struct {
	Run      string
	Preserve []string
	Linked   bool        // its files are already in the old pool
	Owner    stage.Owner // what the root gets; unknown: it keeps its own
}

// closer is the beginning of the name under which a sink closes a site; a run's ID follows,
// after stage.SettledRun if the site is complete.
const closer = "restore "

// Expose implements stage.Exposer. It adds the files of a new pool to the old one. The sink
// of a data root closes the site. In place there is nothing to expose.
func (s *Sink) Expose(ctx context.Context, run string) error {
	if s.root == nil {
		return errors.New("Expose without Begin")
	}
	if s.area == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.disk.commit(written{}); err != nil {
		return err
	}
	own, _, err := s.baseOwner()
	if err != nil {
		return err
	}
	ready := &exposure{Run: run, Preserve: s.preserve, Owner: own}
	if s.layout.Pool {
		if ready.Linked, err = s.link(ctx); err != nil {
			return fmt.Errorf("adding the new files to %s: %w", s.dir, err)
		}
	}
	if err := s.settle(); err != nil {
		return err
	}
	if err := s.area.announce(ready); err != nil {
		return fmt.Errorf("recording that %s is ready: %w", s.dir, err)
	}
	if err := s.settle(); err != nil {
		return err
	}
	s.ready = ready
	if s.layout.Closes {
		if _, err := maintenance.Close(s.base, closer+run, maintenance.DefaultMessage); err != nil {
			return fmt.Errorf("%s: closing the site: %w", s.dir, err)
		}
	}
	return nil
}

// Settle implements stage.Exposer: it opens the site, if a restore has closed it.
func (s *Sink) Settle(context.Context) error {
	return s.openSite(s.layout.StaysClosed)
}

// openSite opens the site, or records that it is complete and only left closed.
func (s *Sink) openSite(later bool) (err error) {
	if !s.layout.Closes {
		return nil
	}
	base, err := os.OpenRoot(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, base.Close()) }()
	by, _, err := maintenance.Closed(base)
	run, ours := strings.CutPrefix(by, closer)
	switch {
	case err != nil || !ours:
	case !later:
		_, _, err = maintenance.Open(base, by)
	case !strings.HasPrefix(run, stage.SettledRun):
		err = maintenance.Reclose(base, closer+stage.SettledRun+run, maintenance.DefaultMessage)
	}
	if err != nil {
		return fmt.Errorf("%s: opening the site: %w; remove %s", s.dir, err, maintenance.FileName)
	}
	return nil
}

// reopen opens the site if this run has closed it.
func (s *Sink) reopen() error {
	if s.ready == nil || !s.layout.Closes {
		return nil
	}
	_, _, err := maintenance.Open(s.base, closer+s.ready.Run)
	return err
}

// Exposed implements stage.Recoverer.
func (s *Sink) Exposed(ctx context.Context) (run string, err error) {
	base, err := os.OpenRoot(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", failure.New(failure.Refused, "opening the directory to restore into: %w", err)
	}
	defer func() { err = errors.Join(err, base.Close()) }()
	area, err := lookAtArea(base, s.layout.Part)
	if err != nil {
		return "", s.leftover(err)
	}
	if area != nil {
		defer func() { err = errors.Join(err, area.Close()) }()
		if err := unlocked(area, lockName); err != nil {
			return "", s.leftover(err)
		}
		ready, err := readExposure(area)
		if err != nil {
			return "", s.leftover(err)
		}
		if ready != nil {
			return ready.Run, nil
		}
	}
	if !s.layout.Closes {
		return "", nil
	}
	by, _, err := maintenance.Closed(base)
	run, ours := strings.CutPrefix(by, closer)
	if err != nil || !ours {
		return "", err
	}
	return run, nil
}

// Complete implements stage.Recoverer.
func (s *Sink) Complete(ctx context.Context) error {
	return s.resumed(ctx, func(r *Sink) error {
		done, err := r.area.has(doneName)
		if err != nil {
			return err
		}
		begun, err := r.area.has(journalName)
		switch {
		case err != nil:
			return err
		case r.ready == nil && done:
			return r.settleEarlier(ctx)
		case r.ready == nil:
			return errors.New("its new files are not complete; restore again")
		case r.ready.Linked:
			return r.replacePool(ctx)
		case done:
			return r.settleEarlier(ctx)
		case begun:
			return r.forward()
		}
		return r.swap(ctx)
	})
}

// Retract implements stage.Recoverer.
func (s *Sink) Retract(ctx context.Context) error {
	err := s.resumed(ctx, func(r *Sink) error { return r.settleEarlier(ctx) })
	return errors.Join(err, s.openSite(false))
}

// resumed calls do with a sink that holds what another process left in the directory, then
// removes the rest of it. It does nothing if there is nothing.
func (s *Sink) resumed(ctx context.Context, do func(*Sink) error) (err error) {
	r := &Sink{dir: s.dir, layout: s.layout, temp: s.temp, prefix: s.prefix, hardLink: s.hardLink, replace: stage.ReplaceSwap}
	defer func() { err = errors.Join(err, r.Close(ctx)) }()
	r.base, err = os.OpenRoot(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := r.disk.wrote(r.base); err != nil {
		return err
	}
	if r.area, err = openArea(r.base, s.layout.Part); err != nil {
		return s.busy(err)
	}
	if r.area == nil {
		return nil
	}
	if r.ready, err = readExposure(r.area.dir); err != nil {
		return s.busy(err)
	}
	if r.ready != nil {
		r.preserve = r.ready.Preserve
	}
	if r.root, err = r.area.dir.OpenRoot(newName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.busy(err)
	}
	if err := do(r); err != nil {
		return fmt.Errorf("recovering an interrupted restore in %s: %w", s.dir, err)
	}
	area := r.area
	r.area = nil
	return area.remove(ctx)
}

// announce makes the description of the new tree durable.
func (a *swapArea) announce(e *exposure) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return a.store(readyName, text)
}

// readExposure returns nil if the new tree was not exposed.
func readExposure(area *os.Root) (*exposure, error) {
	text, err := area.ReadFile(readyName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	e := &exposure{}
	if err == nil {
		err = json.Unmarshal(text, e)
	}
	for _, path := range e.Preserve {
		err = errors.Join(err, CheckPath(path))
	}
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", SwapName, readyName, err)
	}
	return e, nil
}
