package main

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/engine"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
	"github.com/lmsvault/vault/core/progress"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/examples/internal/apart"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/sdk"
	"github.com/lmsvault/vault/sinks/sqlite"
	"github.com/lmsvault/vault/sources/sample"
	"github.com/lmsvault/vault/transforms/typemap"
)

func TestMain(m *testing.M) { apart.Main(m, main) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func text(name string, length int) schema.Column {
	return schema.Column{Name: name, Nullable: true, Type: schema.Type{Kind: schema.Char, Length: length}}
}

func id() schema.Column {
	return schema.Column{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}
}

func table(name string, columns ...schema.Column) schema.Table {
	return schema.Table{Name: name, PrimaryKey: []string{"id"}, Columns: append([]schema.Column{id()}, columns...)}
}

// users returns a shortened version of Moodle's table.
func users() schema.Table {
	body := schema.Column{Name: "description", Nullable: true, Type: schema.Type{Kind: schema.Text}}
	return table("user", text("auth", 20), text("username", 100), text("password", 255), text("firstname", 100), text("email", 100), text("phone1", 20), text("lastip", 45), body)
}

const someUsers = "1\tmanual\tguest\t$2y$10$x\tGuest\troot@localhost\t\t\\N\tlook around\n" +
	"2\tmanual\tada\t$2y$10$y\tAda\tada@school.example\t+44 1 23\t192.0.2.7\ttabs\\tand\\nlines \\\\ and ada@school.example\n" +
	"3\tldap\tÄda\tnot cached\tAda\tADA@school.example\t\\N\tfe80::1\t\\N\n"

func made(t testing.TB, s settings) sdk.RecordTransform {
	t.Helper()
	if s.Key.IsZero() {
		s.Key = sdk.NewSecret("a key of the tests")
	}
	must(t, s.Validate())
	r, err := open(t.Context(), &s, sdk.Env{})
	must(t, err)
	return r
}

func mask(t testing.TB, r sdk.RecordTransform, table schema.Table, data string) [][]string {
	t.Helper()
	m, err := r.Table(t.Context(), table, "")
	must(t, err)
	out, _, err := r.Rows(t.Context(), m, nil, chunk([]byte(data)))
	must(t, err)
	var all [][]string
	for row := range strings.Lines(string(out)) {
		all = append(all, strings.Split(strings.TrimSuffix(row, "\n"), "\t"))
	}
	return all
}

func TestContract(t *testing.T) {
	plugin := apart.New(t, declared())
	conformance.Record(t, conformance.RecordFixture{
		Open: func(t testing.TB) stage.RecordTransform {
			r, err := plugin.Stage().NewRecord(context.WithoutCancel(t.Context()), &settings{
				Key: sdk.NewSecret("a key of the tests"), Columns: []string{"notes.body"}, Keep: []string{"guest"},
			}, stage.Env{})
			must(t, err)
			return r
		},
		Tables: []conformance.TableRows{
			{Schema: table("notes", text("body", 0)), Rows: []byte("1\t" + strings.Repeat("a long text\\n", 500) + "\n2\t\n")},
			{Schema: users(), Rows: []byte(someUsers)},
			{Schema: table("course", text("email", 100)), Rows: []byte("1\tnobody@example.org\n")},
			{Schema: table("user_empty")},
		},
		Targets: []string{"", "postgres"}, // all give the same result
		Process: plugin,
	})
}

func TestMask(t *testing.T) {
	r := made(t, settings{Keep: []string{"guest"}})
	got := mask(t, r, users(), someUsers)
	const id, auth, username, password, firstname, email, phone, ip, description = 0, 1, 2, 3, 4, 5, 6, 7, 8
	token := regexp.MustCompile(`^[a-z2-7]{26}$`)
	for i, before := range strings.Split(strings.TrimSuffix(someUsers, "\n"), "\n") {
		was, is := strings.Split(before, "\t"), got[i]
		for at := range is {
			kept := at == id || at == auth || was[at] == "" || was[at] == rows.Null || was[username] == "guest" && (at == username || at == password)
			if (is[at] == was[at]) != kept {
				t.Errorf("row %d, column %d: %q became %q", i, at, was[at], is[at])
			}
		}
	}
	guest, ada, other := got[0], got[1], got[2]
	if ada[firstname] != other[firstname] || ada[username] == other[username] || guest[firstname] == ada[firstname] {
		t.Errorf("equal values must have the same mask, others not: %q %q", ada, other)
	}
	if !token.MatchString(ada[firstname]) || !token.MatchString(ada[description]) || len(ada[phone]) != 20 {
		t.Errorf("masks are %q", ada)
	}
	if local, ok := strings.CutSuffix(ada[email], "@masked.invalid"); !ok || !token.MatchString(local) || ada[email] == other[email] {
		t.Errorf("e-mail addresses are %q and %q", ada[email], other[email])
	}
	for _, user := range [][]string{ada, other} {
		if a, err := netip.ParseAddr(user[ip]); err != nil || !netip.MustParsePrefix("2001:db8::/32").Contains(a) {
			t.Errorf("IP address %q (%v)", user[ip], err)
		}
	}
	again := mask(t, made(t, settings{Key: sdk.NewSecret("another key of tests")}), users(), someUsers)
	if again[1][firstname] == ada[firstname] {
		t.Error("another key gives the same masks")
	}
}

func TestJoinsStillMatch(t *testing.T) {
	r := made(t, settings{Columns: []string{"log.ip", "log.who"}})
	user := mask(t, r, users(), someUsers)[1]
	log := mask(t, r, table("log", text("ip", 45), text("who", 255), text("what", 20)), "1\t192.0.2.7\tada\tada\n")[0]
	if log[1] != user[7] || log[2] != user[2] || log[3] != "ada" {
		t.Errorf("the log has %q, the user %q", log, user)
	}
}

func TestUnmaskableColumnsAreRefused(t *testing.T) {
	r := made(t, settings{Columns: []string{"a.id", "b.short", "c.absent"}})
	for name, columns := range map[string][]schema.Column{"a": nil, "b": {text("short", 11)}, "c": {text("present", 20)}} {
		if _, err := r.Table(t.Context(), table(name, columns...), ""); failure.Of(err) != failure.Refused {
			t.Errorf("table %s: %v", name, err)
		}
	}
	for want, s := range map[string]settings{
		"key must have":   {Key: sdk.NewSecret("short")},
		"not of the form": {Key: sdk.NewSecret("a key of the tests"), Columns: []string{"mdl_user"}},
	} {
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// A table that was never passed is reported at the end. Otherwise its personal data would
// stay unmasked unnoticed.
func TestMistypedTableIsReported(t *testing.T) {
	s := &settings{Key: sdk.NewSecret("a key of the tests"), Columns: []string{"log.ip", "lgo.ip"}}
	said := func(tables ...schema.Table) string {
		var log bytes.Buffer
		exe, err := os.Executable()
		must(t, err)
		h := host.New(host.Config{Log: slog.New(slog.NewTextHandler(&log, nil)), Dir: t.TempDir(), Version: "1.0.0"})
		r, err := h.Isolate(declared(), host.Program{Name: "mask", Path: exe}).NewRecord(t.Context(), s, sdk.Env{})
		must(t, err)
		for _, table := range tables {
			_, err := r.Table(t.Context(), table, "")
			must(t, err)
		}
		must(t, r.(stage.Closer).Close(t.Context()))
		must(t, h.Close())
		return log.String()
	}
	if got := said(users(), table("log", text("ip", 45))); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "lgo.ip") || strings.Contains(got, "log.ip") {
		t.Errorf("log is %q", got)
	}
	if got := said(); got != "" {
		t.Errorf("a transform without tables logs %q", got)
	}
}

// A complete run with the plugin in its own process: the proof succeeds, and the target has
// no personal data.
func TestMaskedSitePassesProof(t *testing.T) {
	file, err := os.ReadFile("try.yaml")
	must(t, err)
	reg, err := stage.NewRegistry(sample.Stage(), sqlite.Stage(), typemap.Stage(), apart.New(t, declared()).Stage())
	must(t, err)
	dir := t.TempDir()
	p, found := pipeline.Parse("try.yaml", bytes.ReplaceAll(file, []byte("./vault-plugin-mask"), []byte("mask")), pipeline.Options{Registry: reg, Values: config.Values{
		Set: map[string]string{"dir": dir},
		Env: func(string) (string, bool) { return "a key of the tests", true },
	}})
	if p == nil {
		t.Fatal(found)
	}
	job, err := engine.Build(t.Context(), p, reg, stage.Env{Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir()}, progress.Silent{})
	must(t, err)
	result, err := job.Run(t.Context())
	must(t, err)
	must(t, job.Close(t.Context()))
	if len(result.Losses) > 0 {
		t.Errorf("losses %v", result.Losses)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "masked.sqlite"))
	must(t, err)
	defer func() { must(t, db.Close()) }()
	for query, want := range map[string]int{
		`SELECT count(*) > 10 FROM mdl_user`:                                                                     1,
		`SELECT count(*) FROM mdl_user WHERE email NOT LIKE '%@masked.invalid'`:                                  0,
		`SELECT count(*) FROM mdl_user WHERE username LIKE 'user%' OR firstname = 'José' OR lastname = 'Müller'`: 0,
		`SELECT count(*) - count(DISTINCT username) FROM mdl_user`:                                               0,
		`SELECT count(*) FROM mdl_logstore_standard_log WHERE ip NOT LIKE '2001:db8:%'`:                          0,
		`SELECT count(*) > 10 FROM mdl_logstore_standard_log WHERE ip LIKE '2001:db8:%'`:                         1,
	} {
		var got int
		must(t, db.QueryRowContext(t.Context(), query).Scan(&got))
		if got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

func FuzzRows(f *testing.F) {
	f.Add([]byte(someUsers))
	f.Add([]byte("1\t\t\t\t\t\t\t\t\n"))
	f.Add([]byte("1\t\\N\t\\N\t\\N\t\\N\t@\t.\t:\t\\\\N\n"))
	f.Add([]byte("\t\\\t\t\t\t\t\t\t\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := made(t, settings{})
		m, err := r.Table(t.Context(), users(), "")
		must(t, err)
		out, _, err := r.Rows(t.Context(), m, nil, chunk(data))
		if err != nil {
			return
		}
		if bytes.Count(out, []byte{'\n'}) != bytes.Count(data, []byte{'\n'}) || bytes.Count(out, []byte{'\t'}) != bytes.Count(data, []byte{'\t'}) {
			t.Errorf("%q gives %q, which has a different number of cells", data, out)
		}
	})
}

func BenchmarkRows(b *testing.B) {
	r := made(b, settings{})
	m, err := r.Table(b.Context(), users(), "")
	must(b, err)
	data := bytes.Repeat([]byte(someUsers), 3000)
	var out []byte
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		out, _, err = r.Rows(b.Context(), m, out[:0], chunk(data))
		must(b, err)
	}
}

// chunk returns rows as a stage gets them.
func chunk(data []byte) stage.Chunk {
	return stage.Chunk{Data: data, Rows: bytes.Count(data, []byte{'\n'})}
}
