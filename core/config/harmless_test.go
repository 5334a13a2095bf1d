package config

import "testing"

// A passphrase of plain words is hidden like any other.
func TestPassphrasesOfWordsAreNotHarmless(t *testing.T) {
	for value, want := range map[string]bool{
		"correcthorsebattery": false, "correct-horse-battery": false, "S3CRET": false, "mdl_": true,
		"moodle": true, "localhost": true, "3306": true, "/srv/backups": true,
	} {
		if got := harmless(value); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	if Plain("correcthorsebattery") {
		t.Error("an unknown key of nineteen letters is shown")
	}
}
