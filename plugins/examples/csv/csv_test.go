package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/examples/internal/apart"
	"github.com/lmsvault/vault/plugins/sdk"
	"github.com/lmsvault/vault/sinks/sqlite"
	"github.com/lmsvault/vault/transforms/typemap"
)

func TestMain(m *testing.M) { apart.Main(m, main) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// folder makes a directory with files.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

// recorder records the rows and losses of a source.
type recorder struct {
	data   []byte
	losses []stage.Loss
}

func (r *recorder) Write(_ context.Context, c stage.Chunk) error {
	r.data = append(r.data, c.Data...)
	return nil
}

func (r *recorder) Loss(_ context.Context, l stage.Loss) error {
	r.losses = append(r.losses, l)
	return nil
}

// read reads the table t of a directory with only that file.
func read(t testing.TB, s settings, text string) (*recorder, error) {
	t.Helper()
	s.Dir = folder(t, map[string]string{"t.csv": text})
	must(t, s.Validate())
	from, err := open(t.Context(), &s, sdk.Env{})
	must(t, err)
	inv, err := from.Plan(t.Context(), stage.PlanRequest{})
	if err != nil {
		return nil, err
	}
	r := &recorder{}
	return r, from.(stage.RowSource).ReadRows(t.Context(), stage.ReadRequest{Unit: inv.Units[0]}, r)
}

func TestContract(t *testing.T) {
	var large strings.Builder
	large.WriteString("id,body\n")
	for i := range 400 {
		fmt.Fprintf(&large, "%d,\"%s\n%d\"\n", i, strings.Repeat("a\tb\\", 2000), i)
	}
	dir := folder(t, map[string]string{
		"large.csv": large.String(), "empty.csv": "id,x\n", "keyless.csv": "\xEF\xBB\xBFa,b\r\n1,\r\n,2\r\n", "notes.txt": "",
		"bad.csv": "id,n\n1,1\nx,2\n3,three\n,\n4,\n",
	})
	plugin := apart.New(t, declared())
	conformance.Source(t, conformance.SourceFixture{
		Open: func(t testing.TB) stage.Source {
			s, err := plugin.Stage().NewSource(context.WithoutCancel(t.Context()), &settings{Dir: dir, Integers: []string{"bad.n"}}, stage.Env{})
			must(t, err)
			return s
		},
		Parts:   []string{stage.DB},
		Losses:  map[stage.LossKind]int64{stage.LossRow: 3},
		Process: plugin,
	})
}

func TestFieldsBecomeCells(t *testing.T) {
	for name, c := range map[string]struct {
		settings settings
		text     string
		want     string
	}{
		"text and NULL":          {settings{}, "a,b\nx,\n,\"\"\n", "x\t\\N\n\\N\t\\N\n"},
		"a configured NULL":      {settings{Null: `\N`}, "a,b\n\\N,\n\\\\N,N\n", "\\N\t\n\\\\\\\\N\tN\n"},
		"quotes and line breaks": {settings{}, "a,b\r\n\"say \"\"hi\"\"\",\"one,\r\ntwo\"\r\n", "say \"hi\"\tone,\\ntwo\n"},
		"escapes":                {settings{}, "a\n\"tab\there \\ and\nthere\"\n", "tab\\there \\\\ and\\nthere\n"},
		"integers":               {settings{Integers: []string{"t.n"}}, "id,n\n1,007\n-2,\n", "1\t7\n-2\t\\N\n"},
		"a byte order mark":      {settings{}, "\xEF\xBB\xBFid,b\n1,ü🎓\n", "1\tü🎓\n"},
		"no line break at end":   {settings{}, "a,b\n1,2", "1\t2\n"},
		"nothing but a header":   {settings{}, "a,b\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(t, c.settings, c.text)
			if err != nil || string(got.data) != c.want || len(got.losses) > 0 {
				t.Errorf("got %q, want %q (losses %v, %v)", got.data, c.want, got.losses, err)
			}
		})
	}
}

// A row of 64 MiB is not skipped for its size.
func TestLargeField(t *testing.T) {
	const size = 64 << 20
	got, err := read(t, settings{}, "id,body\n1,\""+strings.Repeat("x", size)+"\"\n2,y\n")
	must(t, err)
	if want := "x\n2\ty\n"; len(got.data) != size+len("1\t\n2\ty\n") || !bytes.HasSuffix(got.data, []byte(want)) {
		t.Errorf("got %d bytes", len(got.data))
	}
}

func TestInvalidRowsAreLosses(t *testing.T) {
	got, err := read(t, settings{Integers: []string{"t.n"}}, "id,n,x\n1,1,a\n2,many,b\n3,3,\"two\nlines\"\n4,4,\xff\n,5,c\n6,6,f\n")
	must(t, err)
	if want := "1\t1\ta\n3\t3\ttwo\\nlines\n6\t6\tf\n"; string(got.data) != want {
		t.Errorf("got %q, want %q", got.data, want)
	}
	for i, want := range []string{"line 3 of ", "line 6 of ", "line 7 of "} {
		if i >= len(got.losses) || !strings.HasPrefix(got.losses[i].Where, want) || got.losses[i].Kind != stage.LossRow || got.losses[i].Path != "db/t" {
			t.Errorf("loss %d of %+v, want one of %q", i, got.losses, want)
		}
	}
}

func TestInvalidFilesAreErrors(t *testing.T) {
	for want, text := range map[string]string{
		"record on line 3: wrong number of fields": "a,b\n1,2\n1,2,3\n",
		"parse error on line 2":                    "a,b\n1,2\"3\n",
		"two columns have the name \"a\"":          "a,a\n",
		"column 2 has the name \"Full name\"":      "a,Full name\n",
		"the first line must name the columns":     "",
	} {
		if _, err := read(t, settings{}, text); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "t.csv") {
			t.Errorf("%q: error %v, want one with %q and the file", text, err, want)
		}
	}
	if _, err := read(t, settings{Integers: []string{"t.absent"}}, "a\n"); failure.Of(err) != failure.Refused {
		t.Errorf("a missing column in integers: %v", err)
	}
}

func TestChangedFileIsAnError(t *testing.T) {
	dir := folder(t, map[string]string{"t.csv": "a\n1\n"})
	s, err := open(t.Context(), &settings{Dir: dir}, sdk.Env{})
	must(t, err)
	inv, err := s.Plan(t.Context(), stage.PlanRequest{})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "t.csv"), []byte("a\n1\n2\n"), 0o600))
	if err := s.(stage.RowSource).ReadRows(t.Context(), stage.ReadRequest{Unit: inv.Units[0]}, &recorder{}); err == nil || !strings.Contains(err.Error(), "changed while") {
		t.Errorf("error %v", err)
	}
}

// A complete run, with the plugin in its own process, into a database that is then queried.
func TestExampleIntoDatabase(t *testing.T) {
	file, err := os.ReadFile("try.yaml")
	must(t, err)
	reg, err := stage.NewRegistry(sqlite.Stage(), typemap.Stage(), apart.New(t, declared()).Stage())
	must(t, err)
	dir := t.TempDir()
	p, found := pipeline.Parse("try.yaml", bytes.ReplaceAll(file, []byte("./vault-plugin-csv"), []byte("csv")),
		pipeline.Options{Registry: reg, Values: config.Values{Set: map[string]string{"dir": dir}}})
	if p == nil {
		t.Fatal(found)
	}
	job, err := engine.Build(t.Context(), p, reg, stage.Env{Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir()}, progress.Silent{})
	must(t, err)
	_, err = job.Run(t.Context())
	must(t, err)
	must(t, job.Close(t.Context()))
	db, err := sql.Open("sqlite", filepath.Join(dir, "site.sqlite"))
	must(t, err)
	defer func() { must(t, db.Close()) }()
	for query, want := range map[string]string{
		`SELECT fullname FROM mdl_courses WHERE id = 2`:                                           `Literature, "old" and new`,
		`SELECT fullname FROM mdl_courses WHERE shortname = 'mus'`:                                "Music\nfor two hands",
		`SELECT sum(points) FROM mdl_grades g JOIN mdl_courses c ON c.id = g.course WHERE id = 1`: "179",
		`SELECT count(*) FROM mdl_grades WHERE points IS NULL`:                                    "1",
	} {
		var got string
		must(t, db.QueryRowContext(t.Context(), query).Scan(&got))
		if got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("id,a\n1,2\n"))
	f.Add([]byte("\xEF\xBB\xBFa\n\"\n\"\n\n"))
	f.Add([]byte("a,b\n\xff,\\N\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := read(t, settings{}, string(text))
		if err != nil {
			return
		}
		if n := len(got.data); n > 0 && got.data[n-1] != '\n' {
			t.Errorf("%q gives %q, whose last row is truncated", text, got.data)
		}
	})
}
