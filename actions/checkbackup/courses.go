package checkbackup

import (
	"context"
	"strings"

	"github.com/lmsvault/vault/core/moodle/check"
)

// courseLevel is the level of the contexts of courses.
const courseLevel = 50

// courses sets the courses of the contents that are listed.
func (s *site) courses(ctx context.Context, c *contents) error {
	ok, err := s.has(ctx, "context", "path", "contextlevel", "instanceid")
	if err != nil || !ok {
		return err
	}
	names := map[string]string{}
	for _, list := range [][]check.BadContent{c.missing.Contents, c.wrong.Contents, c.wrong.Notes} {
		for i := range list {
			id := c.contexts[list[i].Hash]
			if _, known := names[id]; !known {
				if names[id], err = s.course(ctx, id); err != nil {
					return err
				}
			}
			list[i].Course = names[id]
		}
	}
	return nil
}

// course returns the short name of the course that a context belongs to, "" for none. The
// path of a context lists the contexts above it: /1/3/25/101.
func (s *site) course(ctx context.Context, id string) (string, error) {
	path, err := s.db.First(ctx, "SELECT path FROM {context} WHERE id = ?", id)
	if err != nil || !path.Valid {
		return "", err
	}
	args := []any{courseLevel}
	var marks []string
	for above := range strings.SplitSeq(strings.Trim(path.String, "/"), "/") {
		args, marks = append(args, above), append(marks, "?")
	}
	name, err := s.db.First(ctx, `SELECT course.shortname FROM {context} above JOIN {course} course ON course.id = above.instanceid
		WHERE above.contextlevel = ? AND above.id IN (`+strings.Join(marks, ", ")+`)`, args...)
	return name.String, err
}

// elsewhere names the plugin that keeps contents outside of the file pool, "" for none.
func (s *site) elsewhere(ctx context.Context) (string, error) {
	const plugin = "tool_objectfs"
	version, err := s.db.First(ctx, "SELECT value FROM {config_plugins} WHERE plugin = ? AND name = ?", plugin, "version")
	if err != nil || !version.Valid {
		return "", err
	}
	return plugin, nil
}
