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

// follows reports whether the pipeline lists a link to be read as the directory that
// it leads to. Only listed paths are followed, so loops end.
func (s *source) follows(path string) bool { return slices.Contains(s.cfg.Follow, path) }

// openDir opens the directory name in parent, whose path below the data root is path;
// it follows only links that the pipeline lists.
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

// followed returns the target of a followed link; nil for any other entry, and if the
// target is not a directory.
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

// outside returns the target of a link out of the data root; "" for any other link,
// and for a dangling one in a subdirectory.
func (s *source) outside(path string) string {
	link := filepath.Join(s.real, filepath.FromSlash(path))
	to, err := filepath.EvalSymlinks(link)
	if err != nil {
		return s.unreachable(link, strings.Contains(path, "/") && errors.Is(err, fs.ErrNotExist))
	}
	if within(to, s.real) {
		return ""
	}
	for _, link := range s.cfg.Follow { // targets read as part of the data root
		if tree, err := filepath.EvalSymlinks(filepath.Join(s.real, filepath.FromSlash(link))); err == nil && within(to, tree) {
			return ""
		}
	}
	return to
}

// unreachable returns the target of a link out of the data root that cannot be
// examined, most likely because a disk is not mounted. Links inside of the data root
// on the way are resolved. dangling is set if the target does not exist.
func (s *source) unreachable(link string, dangling bool) string {
	if dangling {
		return ""
	}
	const most = 40 // maximum number of links, as in Linux
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

// step replaces the first link in a path below the data root by its target; it
// returns false if there is none. Followed links count as directories.
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

// outsideLoss returns the loss of a link's target; the link itself is stored.
func outsideLoss(path, to string) stage.Loss {
	if _, err := os.Stat(to); err != nil {
		return stage.Loss{Kind: stage.LossOutside, Path: path, Count: 1,
			Reason: fmt.Sprintf("the link leads out of the data root to %s, which cannot be read (%v); is it mounted? If not needed, add the link to select: exclude_files", to, errors.Unwrap(err))}
	}
	return stage.Loss{Kind: stage.LossOutside, Path: path, Count: 1,
		Reason: fmt.Sprintf("the link leads out of the data root to %s, which is not backed up; add the link to follow (if a directory) or to select: exclude_files", to)}
}

// links notes which links are followed, and refuses those through which the data root
// would be read twice.
func (p *planning) links() error {
	for _, path := range p.cfg.Follow {
		info, err := os.Lstat(filepath.Join(p.real, filepath.FromSlash(path)))
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			p.note(path, "is listed in follow, but there is no such link")
			continue
		}
		to, err := filepath.EvalSymlinks(filepath.Join(p.real, filepath.FromSlash(path)))
		if err == nil && (within(to, p.real) || within(p.real, to)) {
			return failure.New(failure.Refused, "follow: the link %s leads to %s, which contains or is inside the data root itself", path, to)
		}
		if p.followed(path, info) == nil {
			p.inv.Losses = append(p.inv.Losses, stage.Loss{Kind: stage.LossUnreadable, Path: stage.Dataroot + "/" + path, Count: 1,
				Reason: "the link is listed in follow, but does not lead to a readable directory; is it mounted?"})
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
	if to := r.outside(path); to != "" && strings.Contains(path, "/") { // the plan handles those directly below the root
		return r.out.Loss(ctx, outsideLoss(f.Path, to))
	}
	return nil
}
