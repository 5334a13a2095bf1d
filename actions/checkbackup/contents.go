package checkbackup

import (
	"context"
	"crypto/sha1" // Moodle names contents by it
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/check"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/dialects/database"
)

// contents is the result of comparing the table files with the file pool.
type contents struct {
	missing, wrong check.BadContents
	contexts       map[string]string // IDs of the contexts of the contents that are listed, by hash
	err            error
}

// row is a row of table files.
type row struct {
	hash, size, component, area, name, context string
}

// missingFiles looks for contents that are missing.
func missingFiles(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	if s.without(stage.Filedir) {
		return []stage.ActionFinding{check.MissingFiles().Finding(stage.LevelNote, "not performed, because the run does not read the file pool")}, nil
	}
	c := s.contents(ctx)
	if c.err != nil {
		return nil, c.err
	}
	return c.missing.Findings(check.MissingFiles()), nil
}

// wrongFiles looks for contents with another size or hash.
func wrongFiles(ctx context.Context, s *site) ([]stage.ActionFinding, error) {
	if s.without(stage.Filedir) {
		return []stage.ActionFinding{check.WrongFiles().Finding(stage.LevelNote, "not performed, because the run does not read the file pool")}, nil
	}
	c := s.contents(ctx)
	if c.err != nil {
		return nil, c.err
	}
	return c.wrong.Findings(check.WrongFiles()), nil
}

// contents compares once.
func (s *site) contents(ctx context.Context) *contents {
	if s.found == nil {
		s.found = &contents{contexts: map[string]string{}}
		s.found.err = s.compare(ctx, s.found)
	}
	return s.found
}

// compare reads table files in the order of its hashes, so that each content is examined
// once and memory holds only the rows that are reported.
func (s *site) compare(ctx context.Context, c *contents) error {
	pool := s.pool()
	if pool == "" {
		return errors.New("the file pool is not known; set filedir")
	}
	if _, err := os.ReadDir(pool); err != nil {
		return fmt.Errorf("reading the file pool: %w", err)
	}
	ok, err := s.has(ctx, moodle.FilesTable, "contenthash", "filesize", "component", "filearea", "filename", "contextid")
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("the database has no table files of Moodle")
	}
	c.missing.Accepted, c.wrong.Accepted = s.accepted(stage.LossMissing), s.accepted(stage.LossCorrupt)
	last := ""
	buffer := make([]byte, 256<<10)
	err = s.db.Each(ctx, "SELECT contenthash, filesize, component, filearea, filename, contextid FROM {files} ORDER BY contenthash", nil, func(cells []database.Text) error {
		r := row{cells[0].String, cells[1].String, cells[2].String, cells[3].String, cells[4].String, cells[5].String}
		if r.hash == last || r.hash == moodle.EmptyContent || !cells[0].Valid || s.excludesContent(r.hash) {
			return ctx.Err()
		}
		last = r.hash
		c.missing.Examined++
		return s.examine(ctx, pool, r, buffer, c)
	})
	if err != nil {
		return err
	}
	c.wrong.Examined = c.missing.Examined - c.missing.Count
	if c.missing.Count > 0 {
		if c.missing.Elsewhere, err = s.elsewhere(ctx); err != nil {
			return err
		}
	}
	return s.courses(ctx, c)
}

func (s *site) excludesContent(hash string) bool {
	return moodle.ValidHash(hash) && s.excludesPath(stage.Filedir+"/"+moodle.ContentPath(hash))
}

// examine adds what is wrong with a content.
func (s *site) examine(ctx context.Context, pool string, r row, buffer []byte, c *contents) error {
	lost := func(of *check.BadContents, problem string) {
		if of.Count++; len(of.Contents) < mostPaths {
			of.Contents = append(of.Contents, c.of(r, problem))
		}
	}
	if !moodle.ValidHash(r.hash) {
		lost(&c.missing, "the row has no valid content hash")
		return nil
	}
	path := filepath.Join(pool, filepath.FromSlash(moodle.ContentPath(r.hash)))
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		lost(&c.missing, "")
		return nil
	case errors.Is(err, fs.ErrPermission):
		return nil // found by the check for unreadable paths
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		lost(&c.missing, "it is not a regular file")
		return nil
	}
	size := strconv.FormatInt(info.Size(), 10)
	if size == r.size && !s.VerifyFiles {
		return nil
	}
	sum, err := hash(ctx, path, buffer)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil
	case err != nil:
		return err
	case sum != r.hash:
		lost(&c.wrong, "the content has the SHA-1 "+sum)
	case size != r.size && len(c.wrong.Notes) < mostPaths:
		c.wrong.Notes = append(c.wrong.Notes, c.of(r, fmt.Sprintf("the content is right and has %s bytes, but the table files says %s", size, r.size)))
	}
	return nil
}

// of returns the description of a content, and keeps its context.
func (c *contents) of(r row, problem string) check.BadContent {
	c.contexts[r.hash] = r.context
	return check.BadContent{Hash: r.hash, Problem: problem, Component: r.component, Area: r.area, Name: r.name}
}

// hash returns the SHA-1 of a file.
func hash(ctx context.Context, path string, buffer []byte) (_ string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha1.New()
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := f.Read(buffer)
		sum.Write(buffer[:n])
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(sum.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}
