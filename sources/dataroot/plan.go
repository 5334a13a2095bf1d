package dataroot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// Plan makes one unit of the files directly below the data root, one of each
// directory there, and several of a large directory.
func (s *source) Plan(ctx context.Context, r stage.PlanRequest) (*stage.Inventory, error) {
	s.selected = r.Selection
	p := &planning{source: s, inv: &stage.Inventory{}}
	if err := p.recognise(); err != nil {
		return nil, err
	}
	if err := p.links(); err != nil {
		return nil, err
	}
	if err := p.level(ctx, s.root, ""); err != nil {
		return nil, fmt.Errorf("planning the data root %s: %w", s.cfg.Dir, err)
	}
	var err error
	if p.inv.Excluded, err = filetree.Excluded(s.root, stage.Dataroot, &s.selected); err != nil {
		return nil, err
	}
	p.inv.Session, err = filetree.NewSession(s.root, s.selected)
	return p.inv, err
}

// Join reads units that another process has planned with the same settings.
func (s *source) Join(_ context.Context, session stage.Session) (err error) {
	s.selected, err = filetree.JoinSession(s.root, session)
	return err
}

// recognise refuses a directory that is not a data root.
func (p *planning) recognise() error {
	folder, err := filetree.Recognise(p.root)
	if err != nil {
		return fmt.Errorf("listing the data root %s: %w", p.cfg.Dir, err)
	}
	switch folder {
	case moodle.Code, moodle.Pool:
		return failure.New(failure.Refused, "%s is %s, not a data root; set dir to $CFG->dataroot of config.php", p.cfg.Dir, folder)
	case moodle.Empty:
		p.inv.Losses = append(p.inv.Losses, stage.Loss{Kind: stage.LossPart, Path: stage.Dataroot, Count: 1,
			Reason: fmt.Sprintf("%s is empty; is it mounted?", p.cfg.Dir)})
	case moodle.Unknown:
		p.inv.Notes = append(p.inv.Notes, stage.Note{Path: stage.Dataroot,
			Text: fmt.Sprintf("%s has none of the directories that Moodle creates in a data root (filedir, lang, muc …)", p.cfg.Dir)})
	}
	return nil
}

type planning struct {
	*source
	inv *stage.Inventory
}

func (p *planning) note(path, text string) {
	p.inv.Notes = append(p.inv.Notes, stage.Note{Path: stage.Dataroot + "/" + path, Text: text})
}

func (p *planning) add(s scope, c census) {
	p.inv.Units = append(p.inv.Units, s.unit(c.estimate()))
}

// level plans the data root or a large directory in it: units of its files and of its
// directories, singly or, if they are many, in buckets.
func (p *planning) level(ctx context.Context, dir *os.Root, path string) error {
	var files census
	own := scope{path: path, what: flat}
	var sums [buckets]census
	var names []string
	many := false
	for name, err := range filetree.Names(dir) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		below := name
		if path != "" {
			below = path + "/" + name
		}
		if why, out := p.excluded(below); out {
			if why != excludedByUser {
				p.note(below, "excluded: "+why)
			}
			continue
		}
		info, err := dir.Lstat(name)
		if to := p.followed(below, info); to != nil {
			info = to
		} else if err == nil && path == "" && info.Mode()&fs.ModeSymlink != 0 {
			if to := p.outside(name); to != "" {
				p.inv.Losses = append(p.inv.Losses, outsideLoss(stage.Dataroot+"/"+name, to))
			}
		}
		if err != nil || !info.IsDir() {
			if files.see(info); ends(name, files.things, p.flat) {
				own.last = name
				p.add(own, files)
				own.after, own.last, files = name, "", census{}
			}
			continue
		}
		sums[bucketOf(name)].see(info)
		if many = many || len(names) == buckets; !many {
			names = append(names, name)
		}
	}
	p.add(own, files)
	if many {
		for i, c := range sums {
			if c.things > 0 {
				p.add(scope{path: path, what: folders, bucket: uint32(i)}, c)
			}
		}
		return nil
	}
	for _, name := range names {
		if err := p.directory(ctx, path, name); err != nil {
			return err
		}
	}
	return nil
}

// directory plans one directory of a level. A large one directly below the data root
// becomes a level of its own, others if they contain too much for one unit.
func (p *planning) directory(ctx context.Context, path, name string) (err error) {
	c := census{left: p.limit}
	if path != "" {
		c.left, name = p.limit/buckets, path+"/"+name
	}
	dir, err := p.openPath(name)
	if err != nil { // Read reports it
		p.add(scope{path: name, what: whole}, c)
		return quiet(err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if err := c.count(dir); err != nil {
		return err
	}
	large := c.large()
	if path != "" && large {
		if large, err = holds(dir, p.flat); err != nil {
			return err
		}
	}
	if large {
		return p.level(ctx, dir, name)
	}
	p.add(scope{path: name, what: whole}, c)
	return nil
}

// holds reports whether dir contains more than n entries.
func holds(dir *os.Root, n int) (more bool, err error) {
	f, err := dir.Open(".")
	if err != nil {
		return false, quiet(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for n >= 0 {
		names, err := f.Readdirnames(1024)
		n -= len(names)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, quiet(err)
		}
		if err != nil {
			break
		}
	}
	return n < 0, nil
}
