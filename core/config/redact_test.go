package config_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
)

func TestRedactHidesShortWordsOnlyAsWholeWords(t *testing.T) {
	var r config.Redactor
	r.Add("art", "3306", "mar-mal", "käse")
	for text, want := range map[string]string{
		"art": "***", "start of art, u:art@db": "start of ***, u:***@db", "art_x 13306 3306": "***_x 13306 ***",
		"unmar-malx": "un***x", "artartart": "artartart", "äart": "äart", "käsekäse": "******", "Access for ART, ARTIST": "Access for ***, ARTIST",
	} {
		if got := r.Redact(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestRedactedJSONIsValid(t *testing.T) {
	for _, secret := range []string{"12345", `":"`, `","`, "nsecret-words", `quo"te`, `back\slash`, "two\nlines", "u0001", "rows", `ends\`} {
		document := map[string]any{"rows": 12345, "text": "a\nsecret-words b\x01 <" + secret + ">", "list": []any{secret, "x", true, 12345}}
		raw, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		var r config.Redactor
		r.Add(secret)
		got := r.JSON(append(raw, "\n{\"text\":\"x\"}\n"...))
		d := json.NewDecoder(strings.NewReader(string(got)))
		var back struct {
			Rows int    `json:"rows"`
			Text string `json:"text"`
			List []any  `json:"list"`
		}
		if err := d.Decode(&back); err != nil {
			t.Errorf("%q: %v in\n%s", secret, err, got)
			continue
		}
		if back.Rows != 12345 || strings.Contains(back.Text, secret) || len(back.List) != 4 || back.List[0] != "***" || back.List[1] != "x" {
			t.Errorf("%q: %s", secret, got)
		}
		if err := d.Decode(&back); err != nil || back.Text != "x" {
			t.Errorf("%q: the second document: %v", secret, err)
		}
	}
}
