package moodle

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
)

func TestCheckPrefix(t *testing.T) {
	tables := []string{"mdl_config", "mdl_config_plugins", "mdl_course", "mdl_user", "mdl_files", "other_log", "wp_config"}
	for prefix, want := range map[string]string{
		"mdl_":   "",
		"mdl":    `error: the tables with prefix "mdl" are not a Moodle site; did you mean prefix: mdl_`,
		"":       "error: ",
		"m":      "error: ",
		"moodle": "error: ",
		"MDL_":   "error: ",
		"other_": "note: the tables with this prefix are not a Moodle site, but there is one with prefix mdl_",
		"wp_":    "note: ",
	} {
		note, err := CheckPrefix(tables, prefix)
		got := ""
		switch {
		case err != nil && failure.Of(err) == failure.Refused && note == "":
			got = "error: " + err.Error()
		case note != "":
			got = "note: " + note
		}
		if (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("prefix %q: %q, want %q", prefix, got, want)
		}
	}
	if note, err := CheckPrefix(append(tables, "config", "config_plugins", "course", "user"), ""); note != "" || err != nil {
		t.Errorf("a site without a prefix beside another: %q, %v", note, err)
	}
	older := []string{"mdl_queue", "mdl_old_config", "mdl_old_config_plugins", "mdl_old_course", "mdl_old_user"}
	if note, err := CheckPrefix(older, "mdl_"); note == "" || err != nil {
		t.Errorf("a prefix with its own tables beside a longer one: %q, %v", note, err)
	}
	if _, err := CheckPrefix(older[1:], "mdl_"); failure.Of(err) != failure.Refused {
		t.Errorf("a prefix without tables beside a longer one: %v", err)
	}
	if note, err := CheckPrefix([]string{"a", "b"}, "mdl_"); note != "" || err != nil {
		t.Errorf("no site: %q, %v", note, err)
	}
}
