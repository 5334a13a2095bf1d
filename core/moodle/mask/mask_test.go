package mask

import (
	"strings"
	"testing"
	"unicode"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
)

func settings(t testing.TB) Settings {
	t.Helper()
	var s Settings
	if err := config.Defaults(&s); err != nil {
		t.Fatal(err)
	}
	s.Key = config.NewSecret("a key of the tests")
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	return s
}

func text(name string, length int) schema.Column {
	return schema.Column{Name: name, Nullable: true, Type: schema.Type{Kind: schema.Char, Length: length}}
}

func table(name string, columns ...schema.Column) *schema.Table {
	id := schema.Column{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}
	return &schema.Table{Name: name, PrimaryKey: []string{"id"}, Columns: append([]schema.Column{id}, columns...)}
}

// masked returns a row, given without its ID, as the Edit changes it.
func apply(t *testing.T, e *Edit, of *schema.Table, row ...string) ([]string, edit.Verdict) {
	t.Helper()
	c, err := e.Table(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		return row, edit.Keep
	}
	all := append([]string{"1"}, row...)
	var values []edit.Value
	for _, i := range c.Columns() {
		values = append(values, edit.Value{Text: all[i]})
	}
	verdict, err := c.Row(values)
	if err != nil {
		t.Fatal(err)
	}
	for k, i := range c.Columns() {
		all[i] = values[k].Text
	}
	return all[1:], verdict
}

func users() *schema.Table {
	return table("user", text("username", 100), text("password", 255), text("firstname", 100), text("lastname", 100), text("email", 100), text("phone1", 20),
		text("city", 120), text("lastip", 45), text("auth", 20), text("lang", 30), schema.Column{Name: "description", Type: schema.Type{Kind: schema.Text}})
}

func TestUserIsMasked(t *testing.T) {
	row := []string{"ada", "$2y$10$x", "Ada", "Lovelace", "Ada@school.example", "+44 1 23", "Łódź", "192.0.2.7", "nologin", "pl", `<p>I am <a href="mailto:ada@school.example">Ada</a></p>`}
	got, verdict := apply(t, New(settings(t)), users(), row...)
	if verdict != edit.Changed {
		t.Errorf("the verdict is %v", verdict)
	}
	for i, was := range row {
		if kept := i == 8 || i == 9; kept != (got[i] == was) {
			t.Errorf("column %d: %q became %q", i, was, got[i])
		}
	}
	if got[1] != "not cached" || !strings.HasSuffix(got[4], "@example.invalid") || !strings.HasPrefix(got[7], "2001:db8:") || len(got[5]) != len(row[5]) || strings.ContainsAny(got[10], "<@") {
		t.Errorf("the masks are %q", got)
	}
}

func TestKeptUsersStayAsTheyAre(t *testing.T) {
	row := []string{"admin", "$2y$10$x", "Ada", "Lovelace", "ada@school.example", "1", "Ulm", "192.0.2.7", "manual", "en", "me"}
	if got, verdict := apply(t, New(settings(t)), users(), row...); verdict != edit.Keep || strings.Join(got, "|") != strings.Join(row, "|") {
		t.Errorf("%v: %q", verdict, got)
	}
}

func TestEqualValuesHaveEqualMasksInAllTables(t *testing.T) {
	e := New(settings(t))
	user, _ := apply(t, e, users(), "ada", "", "Ada", "Lovelace", "ada@school.example", "", "", "192.0.2.7", "", "", "")
	log, _ := apply(t, e, table("logstore_standard_log", text("other", 0), text("ip", 45)), `{"username":"ada","reason":3,"email":"ADA@school.example"}`, "192.0.2.7")
	if want := `{"username":"` + user[0] + `","reason":3,"email":"` + user[4] + `"}`; log[0] != want || log[1] != user[7] {
		t.Errorf("the log is %q, want %q and %q", log, want, user[7])
	}
	serialized, _ := apply(t, e, table("logstore_standard_log", text("other", 0)), `a:1:{s:8:"username";s:3:"ada";}`)
	if want := `a:1:{s:8:"username";s:20:"` + user[0] + `";}`; serialized[0] != want {
		t.Errorf("the log is %s, want %s", serialized[0], want)
	}
	file, _ := apply(t, e, table("files", text("author", 255), text("component", 100), text("filearea", 50)), "Ada Lovelace", "mod_forum", "post")
	if file[0] != user[2]+" "+user[3] {
		t.Errorf("the author is %q, the user %q", file[0], user[2:4])
	}
	linked, _ := apply(t, e, table("auth_oauth2_linked_login", text("username", 255), text("email", 100)), "ada@school.example", "ada@school.example")
	if linked[0] != user[4] || linked[1] != user[4] {
		t.Errorf("the linked login is %q, the user %q", linked, user[4])
	}
	other := settings(t)
	other.Key = config.NewSecret("another key of the tests")
	if again, _ := apply(t, New(other), users(), "ada", "", "Ada", "", "", "", "", "", "", "", ""); again[0] == user[0] {
		t.Error("another key gives the same mask")
	}
}

func TestNamesKeepTheirScript(t *testing.T) {
	m := newMasker("a key of the tests", nil)
	for script, names := range map[string][]string{
		"Latin": {"Ada", "José", "o'Neill", "Müller"}, "Cyrillic": {"Анна", "Пётр"}, "Arabic": {"أحمد", "محمد"}, "Han": {"王", "小明"}, "Greek": {"Ελένη"},
		"Hebrew": {"דוד"}, "Hangul": {"김"}, "Thai": {"สมชาย"}, "Devanagari": {"राहुल"}, "Tamil": {"குமார்"}, "Ethiopic": {"አበበ"},
	} {
		for _, name := range names {
			for _, p := range []part{given, family} {
				got := m.name(name, p)
				if found, _ := scriptOf(got); found != script || strings.EqualFold(got, name) {
					t.Errorf("%s %s became %s", script, name, got)
				}
			}
		}
	}
	for _, r := range m.text("Łódź 12") {
		if unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) {
			t.Errorf("the text has %c", r)
		}
	}
}

func TestUsernamesAndAddressesStayUnique(t *testing.T) {
	m := newMasker("a key of the tests", nil)
	seen := map[string]bool{}
	for i := range 20_000 {
		name := strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("1", i/200)
		if seen["was "+name] {
			continue
		}
		seen["was "+name] = true
		for _, mask := range []string{m.account(name), m.email(name + "@a")} {
			if seen[mask] {
				t.Fatalf("%s is the mask of two values", mask)
			}
			seen[mask] = true
		}
	}
}

func TestRowsWithSecretsAreDropped(t *testing.T) {
	e := New(settings(t))
	for name, want := range map[string]edit.Verdict{"sessions": edit.Drop, "external_tokens": edit.Drop, "user_password_history": edit.Drop, "course": edit.Keep} {
		if _, got := apply(t, e, table(name, text("token", 128)), "x"); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	files := table("files", text("component", 100), text("filearea", 50))
	if _, got := apply(t, e, files, "user", "icon"); got != edit.Drop {
		t.Errorf("a picture: %v", got)
	}
	if _, got := apply(t, e, files, "user", "private"); got != edit.Keep {
		t.Errorf("a private file: %v", got)
	}
}

func TestEachGroupHasASwitch(t *testing.T) {
	for i, off := range []func(*Settings){
		func(s *Settings) { s.Accounts = false }, func(s *Settings) { s.Secrets = false }, func(s *Settings) { s.Names = false }, func(s *Settings) { s.Names = false },
		func(s *Settings) { s.Emails = false }, func(s *Settings) { s.Phones = false }, func(s *Settings) { s.Addresses = false }, func(s *Settings) { s.IPs = false },
		nil, nil, func(s *Settings) { s.Descriptions = false },
	} {
		if off == nil {
			continue
		}
		s := settings(t)
		off(&s)
		row := []string{"ada", "hash", "Ada", "Lovelace", "a@b", "123", "Ulm", "192.0.2.7", "manual", "en", "about me"}
		if got, _ := apply(t, New(s), users(), row...); got[i] != row[i] {
			t.Errorf("column %d is masked: %q", i, got[i])
		}
	}
}

func TestColumnsThatCannotBeMaskedAreRefused(t *testing.T) {
	s := settings(t)
	s.Columns = map[string]string{"a.id": "text", "b.short": "email"}
	for _, bad := range []*schema.Table{table("a"), table("b", text("short", 10))} {
		if _, err := New(s).Table(t.Context(), bad); failure.Of(err) != failure.Refused {
			t.Errorf("table %s: %v", bad.Name, err)
		}
	}
	for want, s := range map[string]Settings{
		"key must have":        {Key: config.NewSecret("short")},
		"form table.column":    {Key: s.Key, Columns: map[string]string{"mdl_user": "text"}},
		"a column must be aut": {Key: s.Key, Columns: map[string]string{"a.b": "name"}},
	} {
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func FuzzMasksFitTheirColumns(f *testing.F) {
	f.Add("Ada", "<p>x")
	f.Add("a@b", "\x00\xff ")
	f.Add("::1", `{"username":"a\"b"}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		m := newMasker("a key of the tests", nil)
		for _, value := range []string{a, b} {
			for _, k := range append([]Kind{event, secret, password, picture}, kinds...) {
				got := m.mask(k, value, 40)
				if got != m.mask(k, value, 40) {
					t.Fatalf("%s of %q differs", k, value)
				}
				if n := len([]rune(got)); n > 40 && n > len([]rune(value)) && k != event {
					t.Errorf("%s of %q has %d characters", k, value, n)
				}
			}
		}
	})
}

func BenchmarkAddresses(b *testing.B) {
	m := newMasker("a key of the tests", nil)
	for b.Loop() {
		m.ip("192.0.2.7", 45)
	}
}
