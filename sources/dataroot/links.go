package dataroot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
)

// follows tells whether the pipeline names a link that is read as the directory
// that it leads to. Only paths that are named are followed, so no loop is endless.
func (s *source) follows(path string) bool { return slices.Contains(s.cfg.Follow, path) }

// openDir opens the directory name in parent, whose path below the data root is
// path; of links it follows those that the pipeline names.
func (s *source) openDir(parent *os.Root, name, path string) (*os.Root, error) {
	if s.follows(path) {
		if info, err := parent.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return os.OpenRoot(filepath.Join(s.real, filepath.FromSlash(path)))
		}
	}
	return filetree.OpenDir(parent, name)
}

// openPath opens the directory at a path below the data root; "" is the root.
func (s *source) openPath(path string) (*os.Root, error) {
	dir, err := s.root.OpenRoot(".")
	if err != nil || path == "" {
		return dir, err
	}
	at := ""
	for name := range strings.SplitSeq(path, "/") {
		at = strings.TrimPrefix(at+"/"+name, "/")
		child, err := s.openDir(dir, name, at)
		if err := errors.Join(err, dir.Close()); err != nil {
			return nil, err
		}
		dir = child
	}
	return dir, nil
}

// followed returns what a link that is followed leads to; nil for any other
// thing, and where it leads to no directory.
func (s *source) followed(path string, info fs.FileInfo) fs.FileInfo {
	if info == nil || info.Mode()&fs.ModeSymlink == 0 || !s.follows(path) {
		return nil
	}
	to, err := os.Stat(filepath.Join(s.real, filepath.FromSlash(path)))
	if err != nil || !to.IsDir() {
		return nil
	}
	return to
}

// outside returns where a link leads that leads out of the data root; "" for any
// other, and for one below a directory of which nothing is there behind it.
func (s *source) outside(path string) string {
	link := filepath.Join(s.real, filepath.FromSlash(path))
	to, err := filepath.EvalSymlinks(link)
	if err != nil {
		return s.unreachable(link, strings.Contains(path, "/") && errors.Is(err, fs.ErrNotExist))
	}
	if within(to, s.real) {
		return ""
	}
	for _, link := range s.cfg.Follow { // what is read as a part of the data root
		if tree, err := filepath.EvalSymlinks(filepath.Join(s.real, filepath.FromSlash(link))); err == nil && within(to, tree) {
			return ""
		}
	}
	return to
}

// unreachable returns where a link out of the data root leads whose target can't
// be looked at: a disk that is not mounted, most likely. Links inside of the data
// root on the way are followed. dangling: nothing is there.
func (s *source) unreachable(link string, dangling bool) string {
	if dangling {
		return ""
	}
	const most = 40 // links on the way, as Linux has it
	for range most {
		next, ok := s.step(link)
		if !ok {
			return ""
		}
		if !within(next, s.real) {
			return next
		}
		link = next
	}
	return ""
}

// step replaces the first link in a path below the data root by what it leads to;
// false if there is none. Links that are followed count as directories.
func (s *source) step(path string) (string, bool) {
	rel, err := filepath.Rel(s.real, path)
	if err != nil {
		return "", false
	}
	names := strings.Split(rel, string(filepath.Separator))
	at := s.real
	for i, name := range names {
		above := at
		at = filepath.Join(at, name)
		target, err := os.Readlink(at)
		if err != nil || s.follows(filepath.ToSlash(filepath.Join(names[:i+1]...))) {
			continue
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(above, target)
		}
		return filepath.Join(append([]string{target}, names[i+1:]...)...), true
	}
	return "", false
}

func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// outsideLoss is the loss of what lies behind a link; the link itself is stored.
func outsideLoss(path, to string) stage.Loss {
	if _, err := os.Stat(to); err != nil {
		return stage.Loss{Kind: stage.LossOutside, Path: path, Count: 1,
			Reason: fmt.Sprintf("the link leads out of the data root to %s, which can't be read (%v); is it mounted? If nothing belongs there, name the link in select: exclude_files", to, errors.Unwrap(err))}
	}
	return stage.Loss{Kind: stage.LossOutside, Path: path, Count: 1,
		Reason: fmt.Sprintf("the link leads out of the data root to %s, which is not backed up; name it in follow (a directory) or in select: exclude_files", to)}
}

// links notes which links are followed, and refuses those that would have the
// data root read twice.
func (p *planning) links() error {
	for _, path := range p.cfg.Follow {
		info, err := os.Lstat(filepath.Join(p.real, filepath.FromSlash(path)))
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			p.note(path, "is to be followed, but there is no such link")
			continue
		}
		to, err := filepath.EvalSymlinks(filepath.Join(p.real, filepath.FromSlash(path)))
		if err == nil && (within(to, p.real) || within(p.real, to)) {
			return failure.New(failure.Refused, "follow: the link %s leads to %s, which holds or is in the data root itself", path, to)
		}
		if p.followed(path, info) == nil {
			p.inv.Losses = append(p.inv.Losses, stage.Loss{Kind: stage.LossUnreadable, Path: stage.Dataroot + "/" + path, Count: 1,
				Reason: "the link is to be followed and does not lead to a directory that can be read; is it mounted?"})
			continue
		}
		p.note(path, "the link is read as the directory "+to)
	}
	return nil
}

func (r *reading) link(ctx context.Context, f filetree.Found) error {
	target, err := f.Dir.Readlink(f.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return r.out.Loss(ctx, stage.Loss{Kind: stage.LossUnreadable, Path: f.Path, Reason: fmt.Sprintf("reading the link: %v", errors.Unwrap(err)), Count: 1})
	}
	if err := r.entry(ctx, stage.Entry{Path: f.Path, Kind: stage.Symlink, Mode: 0o777, ModTime: f.Info.ModTime(), Owner: filetree.Owner(f.Info), Target: target}); err != nil {
		return err
	}
	path := strings.TrimPrefix(f.Path, stage.Dataroot+"/")
	if to := r.outside(path); to != "" && strings.Contains(path, "/") { // those directly below the root are known to the plan
		return r.out.Loss(ctx, outsideLoss(f.Path, to))
	}
	return nil
}
