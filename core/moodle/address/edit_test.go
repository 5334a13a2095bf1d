package address

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/moodle"
	"github.com/lmsvault/vault/core/moodle/edit"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

func page() *schema.Table {
	return &schema.Table{Name: "page", Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}},
		{Name: "name", Type: schema.Type{Kind: schema.Char, Length: 20}},
		{Name: "body", Type: schema.Type{Kind: schema.Text}},
		{Name: "raw", Type: schema.Type{Kind: schema.Binary}},
		{Name: "extra", Type: schema.Type{Kind: schema.Text, Length: 22}},
		{Name: "data", Type: schema.Type{Kind: schema.JSON}},
	}}
}

// Without an old address, it is that of the site that is read.
func TestOldAddressIsThatOfTheBackup(t *testing.T) {
	e, err := New(Options{To: "https://new.org"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Table(t.Context(), page()); err == nil {
		t.Error("without an old address there is no error")
	}
	for facts, ok := range map[string]bool{"": false, "not an address": false, "http://old.org/": true} {
		found, err := e.Prepare(t.Context(), &stage.Plan{Facts: map[string]string{moodle.AddressFact: facts}})
		if ok != (err == nil) || err != nil && failure.Of(err) != failure.Refused {
			t.Errorf("%q: %v", facts, err)
		}
		if want := []stage.Note{{Path: "db", Text: "the address http://old.org is replaced by https://new.org"}}; ok && !reflect.DeepEqual(found.Notes, want) {
			t.Errorf("the notes are %v", found.Notes)
		}
		if ok {
			break
		}
	}
	e, err = New(Options{To: "https://new.org"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Prepare(t.Context(), &stage.Plan{Facts: map[string]string{moodle.AddressFact: "https://new.org"}}); err != nil {
		t.Fatal(err)
	}
	if c, err := e.Table(t.Context(), page()); c != nil || err != nil {
		t.Errorf("the same address is replaced: %v (%v)", c, err)
	}
	for _, o := range []Options{{To: "new.org"}, {To: "http://new.org", From: "old.org"}, {}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// Only texts are changed, and none beyond the length of its column.
func TestTextsOfATableAreChanged(t *testing.T) {
	e, err := New(Options{From: "http://o.org", To: "https://n.org/lms"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Table(t.Context(), page())
	if err != nil || !reflect.DeepEqual(c.Columns(), []int{1, 2, 4, 5}) || c.Added() != nil {
		t.Fatalf("the change is %v (%v)", c, err)
	}
	values := []edit.Value{{Text: "ö http://o.org ö"}, {Null: true}, {Text: "é http://o.org é"}, {Text: `{"a": "http://o.org"}`}}
	verdict, err := c.Row(values)
	want := []edit.Value{
		{Text: "ö http://o.org ö", Left: "with the new address it would have 21 characters, but the column has room for 20"}, {Null: true},
		{Text: "é http://o.org é", Left: "with the new address it would have 23 bytes, but the column has room for 22"}, {Text: `{"a": "https://n.org/lms"}`},
	}
	if err != nil || verdict != edit.Changed || !reflect.DeepEqual(values, want) {
		t.Errorf("the row is %+v, %v (%v)", values, verdict, err)
	}
	if verdict, err := c.Row([]edit.Value{{}, {}, {}, {}}); verdict != edit.Keep || err != nil {
		t.Errorf("an empty row is %v (%v)", verdict, err)
	}
}

// The time grows with the size of a value, whatever is in it.
func TestLargeValuesTakeLittleTime(t *testing.T) {
	r := replacer(t, oldSite, newSite, false)
	const n = 20_000
	for name, s := range map[string]string{
		"addresses":      strings.Repeat("http://moodle.example.org/lms ", n),
		"hosts":          strings.Repeat("moodle.example.org ", n),
		"serialized":     "a:20000:{" + strings.Repeat(`i:0;`+text("http://moodle.example.org/lms"), n) + "}",
		"keys":           "a:20000:{" + strings.Repeat(text("http://moodle.example.org/lms")+"i:0;", n) + "}",
		"JSON":           "[" + strings.Repeat(`"http:\/\/moodle.example.org\/lms",`, n) + "1]",
		"base64":         strings.Repeat(code("http://moodle.example.org/lms")+" ", n),
		"one base64":     strings.Repeat(code("http://moodle.example.org/lms/xxxx")[:44], n),
		"beginnings":     strings.Repeat(`s:9:"`, n) + "http://moodle.example.org/lms",
		"both":           strings.Repeat(`s:9:"http://moodle.example.org/lms`, n),
		"open arrays":    strings.Repeat("a:1:{i:0;", n) + "moodle.example.org",
		"open JSON":      strings.Repeat(`["`, n) + "moodle.example.org",
		"JSON in JSON":   strings.Repeat(`["\"`, n) + "moodle.example.org",
		"slashes":        strings.Repeat(`\`, n) + "/" + "moodle.example.org/lms",
		"many backslash": strings.Repeat(strings.Repeat(`\`, 100)+"/moodle.example.org/lms", n/100),
	} {
		begun := time.Now()
		if _, err := r.Replace(s); err != nil && name == "addresses" {
			t.Error(err)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s: %d bytes took %v", name, len(s), took)
		}
	}
}
