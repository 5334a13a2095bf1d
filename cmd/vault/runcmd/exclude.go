package runcmd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/lmsvault/vault/cmd/vault/cli"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/run"
	"github.com/lmsvault/vault/core/stage"
)

// exclusion is the result of --exclude.
type exclusion struct {
	File    string   `json:"file"`
	Paths   []string `json:"paths"`   // that are excluded from now on
	Missing []string `json:"missing"` // what the backup will lack, for people
	Diff    []string `json:"diff"`    // changed lines, with - or + in front
}

// exclude edits the pipeline file so that the named findings are resolved.
func exclude(a *cli.App, p *pipeline.Pipeline, report *checkReport, plan *run.Plan, names []string) error {
	paths, err := report.paths(names)
	if err != nil {
		return err
	}
	file, err := filepath.EvalSymlinks(p.File)
	if err != nil {
		return failure.New(failure.Usage, "the pipeline file cannot be edited: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return failure.New(failure.Usage, "the pipeline file %s is not a regular file, so it cannot be edited", p.File)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	after, err := pipeline.Exclude(before, paths)
	if err != nil {
		return fmt.Errorf("%s: %w", p.File, err)
	}
	done := exclusion{File: p.File, Paths: paths, Missing: missing(paths, plan), Diff: diff(string(before), string(after))}
	if !bytes.Equal(before, after) {
		if err := replaceFile(file, info, after); err != nil {
			return fmt.Errorf("writing %s: %w", p.File, err)
		}
	}
	if a.Flag("json").On {
		return a.PrintJSON(done)
	}
	var b strings.Builder
	if len(done.Diff) == 0 {
		fmt.Fprintf(&b, "%s lists it already\n", p.File)
	} else {
		fmt.Fprintf(&b, "changed %s:\n%s\n", p.File, cli.Plain(strings.Join(done.Diff, "\n")))
	}
	for _, text := range done.Missing {
		fmt.Fprintf(&b, "backups will not contain %s\n", cli.Plain(text))
	}
	return a.Print(b.String())
}

// paths returns the paths to exclude for the findings with these names.
func (r *checkReport) paths(names []string) ([]string, error) {
	var paths []string
	for _, name := range names {
		known, resolved := false, false
		for _, f := range r.Findings {
			if f.name() != name && f.ID != name {
				continue
			}
			known = true
			for _, path := range f.Exclude {
				if resolved = true; !slices.Contains(paths, path) {
					paths = append(paths, path)
				}
			}
		}
		switch {
		case !known:
			return nil, failure.New(failure.Usage, "there is no finding %s; %s", name, r.excludable())
		case !resolved:
			return nil, failure.New(failure.Usage, "leaving something out does not resolve %s; %s", name, r.excludable())
		}
	}
	return paths, nil
}

// excludable lists the findings that an exclusion resolves, for messages.
func (r *checkReport) excludable() string {
	var names []string
	for _, f := range r.Findings {
		if len(f.Exclude) > 0 && !slices.Contains(names, f.name()) {
			names = append(names, f.name())
		}
	}
	if names == nil {
		return "no finding can be resolved this way"
	}
	if more := len(names) - cli.Most; more > 0 {
		names = append(names[:cli.Most], fmt.Sprintf("… and %d more", more))
	}
	return "those that can be resolved this way:\n  " + strings.Join(names, "\n  ")
}

// missing describes what a backup will lack without these paths.
func missing(paths []string, plan *run.Plan) []string {
	var all []string
	for _, path := range paths {
		text := path
		if table, ok := strings.CutPrefix(path, stage.DB+"/"); ok {
			text = "the table " + table
			if plan != nil {
				for _, t := range plan.Tables {
					if t.Name == table {
						text += fmt.Sprintf(" (about %s, %s)", cli.Count(t.Rows, "row"), cli.Size(t.Bytes))
					}
				}
			}
		}
		all = append(all, text)
	}
	return all
}

// replaceFile replaces a file in one step, with the same permissions and owner.
func replaceFile(path string, info fs.FileInfo, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".vault-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			if bad := os.Remove(f.Name()); !errors.Is(bad, fs.ErrNotExist) {
				err = errors.Join(err, bad)
			}
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = own(f, info)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// own gives a file the permissions and the owner of another one.
func own(f *os.File, like fs.FileInfo) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	want, ok := like.Sys().(*syscall.Stat_t)
	have, same := mine.Sys().(*syscall.Stat_t)
	if ok && same && (want.Uid != have.Uid || want.Gid != have.Gid) {
		if err := f.Chown(int(want.Uid), int(want.Gid)); err != nil {
			return err
		}
	}
	return f.Chmod(like.Mode().Perm())
}

// diff lists the lines that differ, with their numbers.
func diff(before, after string) []string {
	if before == after {
		return nil
	}
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	// same[i][j] is the number of equal lines of a from i and b from j.
	same := make([][]int, len(a)+1)
	for i := range same {
		same[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if same[i][j] = max(same[i+1][j], same[i][j+1]); a[i] == b[j] {
				same[i][j] = same[i+1][j+1] + 1
			}
		}
	}
	var lines []string
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i++
			j++
		case j == len(b) || i < len(a) && same[i+1][j] >= same[i][j+1]:
			i++
			lines = append(lines, fmt.Sprintf("-%4d  %s", i, strings.TrimSuffix(a[i-1], "\r")))
		default:
			j++
			lines = append(lines, fmt.Sprintf("+%4d  %s", j, strings.TrimSuffix(b[j-1], "\r")))
		}
	}
	return lines
}
