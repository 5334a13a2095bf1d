package lockfile

import (
	"errors"
	"io/fs"
	"os"
)

// Strays returns the files in the plugin directory that are not pinned, relative to the
// lock file. They are never executed.
func (f *File) Strays() (strays []string, err error) {
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	err = fs.WalkDir(root.FS(), Folder, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !d.IsDir() && !f.pins(name):
			strays = append(strays, name)
		}
		return nil
	})
	return strays, err
}
