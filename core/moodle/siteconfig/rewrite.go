package siteconfig

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/moodle/php"
)

// Line is a line that config.php has to have.
type Line struct {
	Setting string
	Value   string // as PHP
}

// String returns the line. It does not contain the password.
func (l Line) String() string {
	value := l.Value
	if l.Setting == "dbpass" {
		value = "'…'"
	}
	return fmt.Sprintf("$CFG->%s = %s;", l.Setting, value)
}

// Rewritten is a config.php for another database.
type Rewritten struct {
	Text string // "" if Left is not empty
	// Left lists all lines to change by hand, if some cannot be edited safely; Why says why.
	Left []Line
	Why  string
}

// Rewrite changes the settings of the database in the text of config.php, and nothing else.
// It edits assignments of literals and evaluates the result, which must name the new
// database. o are the options of Read; settings in o.Given are ignored, as config.php has to
// say it itself.
func (s *Site) Rewrite(ctx context.Context, o Options, d Database) (Rewritten, error) {
	files := o.Files
	if files == nil {
		files = confine(s.File, s.Included[0], o.Readable)
	}
	src, err := files.Read(s.Included[0])
	if err != nil {
		return Rewritten{}, err
	}
	lines := s.lines(d)
	left := func(why string) (Rewritten, error) { return Rewritten{Left: lines, Why: why}, nil }
	text, why, err := edit(s.File, string(src), lines)
	if err != nil || why != "" {
		return Rewritten{Left: lines, Why: why}, err
	}
	o.Given, o.Files = nil, overlay{files, s.Included[0], []byte(text)}
	after, err := Read(ctx, s.File, o)
	if err != nil {
		return left("the edited file cannot be evaluated")
	}
	if now, err := after.Database(); err != nil || now.where() != d.where() {
		return left("other parts of it also decide about the database")
	}
	return Rewritten{Text: text}, nil
}

// overlay replaces the text of one file.
type overlay struct {
	php.Files
	path string
	text []byte
}

func (f overlay) Read(path string) ([]byte, error) {
	if path == f.path {
		return f.text, nil
	}
	return f.Files.Read(path)
}

// where returns what locates the database, without what Moodle does with it.
func (d Database) where() Database {
	d.Timeout, d.Collation, d.Replicas = 0, "", 0
	return d
}

// edit replaces the values of assignments. A setting that is not assigned is added after the
// last one that is. why says why the text cannot be edited.
func edit(file, src string, lines []Line) (text, why string, err error) {
	literals, others, err := php.Literals(file, src, "CFG")
	if err != nil {
		return "", "", err
	}
	var added []string
	last := -1
	type change struct {
		from, to int
		text     string
	}
	var changes []change
	for _, l := range lines {
		i := slices.IndexFunc(literals, func(p php.Literal) bool { return p.Property == l.Setting })
		switch {
		case slices.Contains(others, l.Setting):
			return "", l.Setting + " is not set once, to a fixed value, outside of conditions", nil
		case i < 0:
			added = append(added, fmt.Sprintf("$CFG->%s = %s;", l.Setting, l.Value))
		default:
			changes = append(changes, change{literals[i].From, literals[i].To, l.Value})
			last = max(last, literals[i].End)
		}
	}
	if last < 0 {
		return "", "it does not set the database itself", nil
	}
	newline := "\n"
	if strings.Contains(src, "\r\n") {
		newline = "\r\n"
	}
	if len(added) > 0 {
		changes = append(changes, change{last, last, newline + strings.Join(added, newline)})
	}
	slices.SortFunc(changes, func(a, b change) int { return b.from - a.from })
	for _, c := range changes {
		src = src[:c.from] + strings.ReplaceAll(c.text, "\n", newline) + src[c.to:]
	}
	return src, "", nil
}

// lines returns the settings for a database.
func (s *Site) lines(d Database) []Line {
	var options []string
	option := func(name, value string) { options = append(options, "  "+quote(name)+" => "+value+",\n") }
	old, _, _, _ := s.lookup("dboptions")
	for name, v := range old.Items {
		if value, ok := asPHP(v); ok && slices.Contains([]string{"dbpersist", "connecttimeout", "logall", "logslow", "logerrors"}, name) {
			option(name, value)
		}
	}
	host := d.Host
	if d.Engine == SQLite {
		option("file", quote(d.Path))
	} else {
		if d.Socket != "" {
			host = "localhost"
			option("dbsocket", quote(d.Socket))
		}
		if d.Socket == "" || d.Engine == Postgres {
			option("dbport", fmt.Sprint(d.Port))
		}
	}
	for _, one := range [][2]string{{"dbcollation", d.Collation}, {"dbschema", d.Schema}, {"ssl", d.TLS}} {
		if one[1] != "" {
			option(one[0], quote(one[1]))
		}
	}
	lines := []Line{{"dbtype", quote(d.Type)}}
	if d.Engine != SQLite {
		lines = append(lines, Line{"dbhost", quote(host)}, Line{"dbname", quote(d.Name)}, Line{"dbuser", quote(d.User)}, Line{"dbpass", quote(d.Password.Reveal())})
	}
	return append(lines, Line{"prefix", quote(d.Prefix)}, Line{"dboptions", "array (\n" + strings.Join(options, "") + ")"})
}

// quote returns a string as PHP.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// asPHP returns a known scalar as PHP.
func asPHP(v php.Value) (string, bool) {
	text, ok := v.Text()
	switch truth, _ := v.Truth(); {
	case v.Kind() == php.KindBool:
		return fmt.Sprint(truth), true
	case v.Kind() == php.KindInt:
		return text, ok
	}
	return quote(text), ok
}
