package moodle

import (
	"slices"
	"testing"
)

func TestRecognise(t *testing.T) {
	for _, c := range []struct {
		want  Folder
		names []string
	}{
		{Empty, nil},
		{Empty, []string{"lost+found"}},
		{Pool, []string{"00", "ff", "warning.txt", "lost+found"}},
		{DataRoot, []string{"filedir", "lang"}},
		{DataRoot, []string{"muc", "lang", ".htaccess"}},
		{DataRoot, []string{"lang", "repository", "models"}},
		{DataRoot, []string{"filedir", "00"}},
		{Unknown, []string{"trashdir", "00"}},
		{Code, []string{"admin", "config-dist.php", "lib", "version.php"}},
		{Code, []string{"config.php", "lib", "course"}},
		{Code, []string{"config-dist.php", "public", "composer.json"}},
		{Unknown, []string{"photos", "version.php"}},
		{Unknown, []string{"warning.txt"}},
		{Unknown, []string{"repository", "models"}},
	} {
		if got := Recognise(slices.Values(c.names)); got != c.want {
			t.Errorf("%q is recognised as %q, want %q", c.names, got, c.want)
		}
	}
}
