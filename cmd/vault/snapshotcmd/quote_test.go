package snapshotcmd

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Both forms of any name are one line, and unquoted returns the name.
func TestQuotedNamesRoundTrip(t *testing.T) {
	for name, want := range map[string]string{
		"dataroot/lang/en":   "dataroot/lang/en",
		"dataroot/ü 😀":       "dataroot/ü 😀",
		`dataroot/q"b\n`:     `dataroot/q"b\n`,
		"dataroot/a\nb":      `"dataroot/a\nb"`,
		"dataroot/\x1b[2J":   `"dataroot/\x1b[2J"`,
		"dataroot/\xff\xfe":  `"dataroot/\xff\xfe"`,
		"dataroot/\ufffd":    "dataroot/\ufffd",
		"dataroot/end ":      `"dataroot/end "`,
		"dataroot/a -> b":    `"dataroot/a -> b"`,
		"dataroot/\u202etxt": `"dataroot/\u202etxt"`,
	} {
		l := Line{Path: name, Target: name, Time: time.Unix(1<<40, 5)}
		if got := quoted(name); got != want || !strings.HasSuffix(l.text(), want+" -> "+want) {
			t.Errorf("%q is printed as %s in %s, want %s", name, got, l.text(), want)
		}
		if back, err := unquoted(quoted(name)); back != name || err != nil {
			t.Errorf("%q comes back as %q, %v", name, back, err)
		}
		text, err := json.Marshal(l.exact())
		if err != nil {
			t.Fatal(err)
		}
		var read struct {
			Path       string
			PathQuoted string `json:"path_quoted"`
			Target     string
			Quoted     string `json:"target_quoted"`
			Unix       *int64
		}
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		if (read.PathQuoted == "") != utf8.ValidString(name) || read.PathQuoted != read.Quoted || read.Unix == nil || *read.Unix != 1<<40 {
			t.Errorf("%q as JSON: %s", name, text)
		}
		if read.PathQuoted != "" {
			read.Path = read.PathQuoted
		}
		if back, err := unquoted(read.Path); back != name || err != nil {
			t.Errorf("%q comes back from JSON as %q, %v", name, back, err)
		}
	}
	if _, err := unquoted(`"dataroot/a`); err == nil {
		t.Error("half a quoted path is taken")
	}
}
