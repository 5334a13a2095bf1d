package writeconfig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lmsvault/vault/core/moodle/siteconfig"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/site"
)

type action struct {
	stage.UnimplementedAction
	cfg *Config
}

// Run rewrites the file, or says what it would do.
func (a *action) Run(ctx context.Context, r stage.ActionRequest) (stage.ActionReport, error) {
	there, err := a.cfg.Read(ctx)
	if err != nil {
		return stage.ActionReport{}, err
	}
	to, err := a.wanted(ctx)
	if err != nil {
		return stage.ActionReport{}, err
	}
	o := siteconfig.Options{Env: os.LookupEnv, Address: a.cfg.Address}
	text, err := there.Rewrite(ctx, o, to)
	if err != nil {
		return stage.ActionReport{}, err
	}
	f := stage.ActionFinding{ID: "config-php", Level: stage.LevelOK, Where: a.path(there)}
	switch {
	case text.Left != nil:
		f.Level = stage.LevelWarning
		f.What = "config.php was not changed: " + text.Why
		f.Remedy = "set these lines by hand"
		f.Details = lines(text.Left)
	case r.DryRun:
		f.What = "config.php would be changed for the new database; the old file would be kept"
	default:
		kept, err := write(f.Where, there.Included[0], text.Text)
		if err != nil {
			return stage.ActionReport{}, err
		}
		f.What = "config.php names the new database now"
		if kept != "" {
			f.What += "; the old file is " + kept
		}
	}
	return stage.ActionReport{Findings: []stage.ActionFinding{f}}, nil
}

// path returns the file to write: a symlink is followed.
func (a *action) path(there *site.Site) string {
	path := a.cfg.Path
	if path == "" {
		path = there.File
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// wanted returns the new database as config.php names it. It connects to it, because MySQL
// and MariaDB have different names there.
func (a *action) wanted(ctx context.Context) (to siteconfig.Database, err error) {
	product, collation := "", ""
	if a.cfg.Database.Path == "" {
		d, err := a.cfg.Database.Open(ctx)
		if err != nil {
			return to, err
		}
		defer func() { err = errors.Join(err, d.Close(ctx)) }()
		if product = d.Product(); d.Dialect() == string(siteconfig.MySQL) {
			found, err := d.First(ctx, "SELECT @@collation_database")
			if err != nil {
				return to, err
			}
			if strings.HasPrefix(found.String, "utf8mb4_") {
				collation = found.String
			}
		}
	}
	to, err = a.cfg.Database.ToConfig(product)
	to.Collation = collation
	return to, err
}

func lines(left []siteconfig.Line) string {
	var all []string
	for _, l := range left {
		all = append(all, l.String())
	}
	return strings.Join(all, "\n")
}

// write replaces a file at once and keeps the old one, whose name it returns; "" if there was
// none. The new file has the mode and the owner of the old one, or of like.
func write(path, like, text string) (kept string, err error) {
	info, err := os.Stat(path)
	switch {
	case err == nil:
		if kept, err = keep(path); err != nil {
			return "", fmt.Errorf("keeping the old file: %w", err)
		}
	case errors.Is(err, fs.ErrNotExist):
		if info, err = os.Stat(like); err != nil {
			return "", err
		}
	default:
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".config.php.vault-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.WriteString(text)
	if err == nil {
		err = own(f, info)
	}
	if err == nil {
		err = f.Chmod(info.Mode().Perm()) // after the owner, which may reset bits
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return kept, os.Rename(f.Name(), path)
}

// keep makes another name for a file: NAME.vault-before, or the first free one with a number.
func keep(path string) (string, error) {
	for n := 1; ; n++ {
		name := path + ".vault-before"
		if n > 1 {
			name += fmt.Sprintf("-%d", n)
		}
		err := os.Link(path, name)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil { // a file system without links, or another owner
			err = duplicate(path, name)
		}
		return name, err
	}
}

// duplicate copies a file.
func duplicate(path, name string) (err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}
