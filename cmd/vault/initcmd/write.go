package initcmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/pipelines"
)

// The pipeline files, by the names that they have in package pipelines.
const (
	backupFile  = "site-backup.yaml"
	restoreFile = "site-restore.yaml"
	cloneFile   = "site-clone.yaml"
	migrateFile = "site-migrate.yaml"
)

// PassphraseFile is the name of the file with a new passphrase, beside the pipelines.
const PassphraseFile = "vault.passphrase"

// Done is what was found and written.
type Done struct {
	Options
	site       *site
	files      []string // absolute paths
	passphrase string   // file with a new passphrase, "" for none
	repository []engine.Created
}

// write writes the pipeline files and, if none is given, the passphrase.
func (d *Done) write(ctx context.Context) error {
	if err := os.MkdirAll(d.To, 0o755); err != nil {
		return failure.Wrap(failure.Refused, err)
	}
	passphrase := "${env:" + cli.PassphraseVariable + "}"
	own := filepath.Join(d.To, PassphraseFile)
	switch {
	case d.PassphraseFile != "":
		if _, err := os.Stat(d.PassphraseFile); err != nil {
			return failure.New(failure.Usage, "--passphrase-file: %w", err)
		}
		passphrase = "${file:" + d.PassphraseFile + "}"
	case os.Getenv(cli.PassphraseVariable) == "":
		passphrase = "${file:" + PassphraseFile + "}" // beside the pipelines
		if _, err := os.Stat(own); errors.Is(err, fs.ErrNotExist) {
			d.passphrase = own
		}
	}
	contents := map[string][]byte{}
	for _, name := range []string{backupFile, restoreFile, cloneFile, migrateFile} {
		text, err := d.render(name, passphrase)
		if err != nil {
			return err
		}
		path := filepath.Join(d.To, name)
		contents[path], d.files = text, append(d.files, path)
		there, err := os.ReadFile(path)
		if err == nil && !d.Force && !bytes.Equal(there, text) {
			return failure.New(failure.Refused, "%s exists and differs; give --force to overwrite it, or another directory with --to", path)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.passphrase != "" {
		if err := writeFile(own, []byte(rand.Text()+"\n"), 0o600); err != nil {
			return err
		}
	}
	for _, path := range d.files {
		if err := writeFile(path, contents[path], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file in one step.
func writeFile(path string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".vault-*")
	if err != nil {
		return failure.Wrap(failure.Refused, err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}

// render returns a pipeline file of the program with the site's values in the place of
// variables.
func (d *Done) render(name, passphrase string) ([]byte, error) {
	text, err := pipelines.Files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	dir, err := quote(d.site.dir)
	if err != nil {
		return nil, err
	}
	more, err := d.site.options(d.Address)
	if err != nil {
		return nil, err
	}
	place, err := quote(d.Repository)
	if err != nil {
		return nil, err
	}
	secret, err := quote(passphrase)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		if variable, ok := documented(line); ok && slices.Contains([]string{"MOODLE_DIR", "BACKUP_DIR", cli.PassphraseVariable}, variable) {
			continue // it has a value now
		}
		if line == "#\n" && len(out) > 0 && out[len(out)-1] == line {
			continue
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		line = strings.ReplaceAll(line, `"${env:BACKUP_DIR}"`, place)
		line = strings.ReplaceAll(line, `"${env:`+cli.PassphraseVariable+`}"`, secret)
		replaced := strings.ReplaceAll(line, `"${env:MOODLE_DIR}"`, dir)
		out = append(out, replaced)
		if replaced != line {
			for _, setting := range more {
				out = append(out, indent+setting+"\n")
			}
		}
	}
	return []byte(strings.Join(out, "")), nil
}

// documented returns the variable that a line of a file's introduction documents.
func documented(line string) (string, bool) {
	rest, ok := strings.CutPrefix(line, "#   ")
	if !ok {
		return "", false
	}
	name, _, ok := strings.Cut(rest, " ")
	return name, ok && name == strings.ToUpper(name)
}

// options returns the lines of the settings address and settings.
func (s *site) options(address string) (lines []string, err error) {
	if address != "" {
		value, err := quote(address)
		if err != nil {
			return nil, err
		}
		lines = append(lines, "address: "+value)
	}
	if len(s.settings) > 0 {
		lines = append(lines, "settings:")
	}
	for _, name := range slices.Sorted(maps.Keys(s.settings)) {
		value, err := quote(s.settings[name])
		if err != nil {
			return nil, err
		}
		lines = append(lines, "  "+name+": "+value)
	}
	return lines, nil
}

// quote returns a text in double quotes for YAML.
func quote(text string) (string, error) {
	b, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: text})
	return strings.TrimSuffix(string(b), "\n"), err
}

// createRepository creates the repository of the backup, unless it exists.
func (d *Done) createRepository(ctx context.Context, a *cli.App) error {
	o, err := a.Options(ctx)
	if err != nil {
		return err
	}
	o.Creating = true
	p, found, err := pipeline.Load(filepath.Join(d.To, backupFile), o)
	if err := errors.Join(err, found.Err()); err != nil {
		return err
	}
	a.Hidden.Add(p.Hidden...)
	scratch, err := a.Scratch()
	if err != nil {
		return err
	}
	d.repository, err = engine.CreateRepositories(ctx, p, stage.Env{Log: a.Log, TempDir: scratch.Dir(), Version: cli.Version()})
	if err != nil {
		return fmt.Errorf("the pipelines are written, but the repository was not created: %w", err)
	}
	return nil
}
