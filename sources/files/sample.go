package files

import (
	"errors"
	"io"
	"os"

	"github.com/lmsvault/vault/filetree"
)

// How much of a directory of the pool is examined for an estimate, so that a plan
// needs a few thousand lookups however many millions of files there are.
const (
	sampleFolders = 4 // of the 256 directories below
	sampleFiles   = 4 // of each of those
)

// sizes sums up sampled files.
type sizes struct{ files, bytes int64 }

func (s *sizes) mean() int64 { return s.bytes / max(s.files, 1) }

// sample estimates the number of files in a directory of the pool.
func (s *sizes) sample(root *os.Root, name string) (files int64, err error) {
	dir, err := filetree.OpenDir(root, name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	folders, _, err := list(dir, 256)
	n := min(len(folders), sampleFolders)
	for i := range n {
		in, err := s.folder(dir, folders[i*len(folders)/n])
		if err != nil {
			return 0, err
		}
		files += in
	}
	return files * int64(len(folders)) / int64(max(n, 1)), err
}

// folder counts the files of a second-level directory and examines a few.
func (s *sizes) folder(parent *os.Root, name string) (files int64, err error) {
	dir, err := filetree.OpenDir(parent, name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	first, more, err := list(dir, sampleFiles)
	for _, name := range first {
		info, err := dir.Lstat(name)
		if err != nil {
			return 0, err
		}
		s.files++
		s.bytes += info.Size()
	}
	return int64(len(first)) + more, err
}

// list returns n names of a directory and how many more there are.
func list(dir *os.Root, n int) (names []string, more int64, err error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for {
		batch, err := f.Readdirnames(1024)
		take := min(n-len(names), len(batch))
		names = append(names, batch[:take]...)
		more += int64(len(batch) - take)
		if errors.Is(err, io.EOF) {
			return names, more, nil
		}
		if err != nil {
			return names, more, err
		}
	}
}
