package moodle

import "testing"

func TestExcluded(t *testing.T) {
	for name, want := range map[string]bool{
		"cache": true, "localcache": true, "temp": true, "sessions": true, "trashdir": true, "lock": true, "filedir": true,
		".htaccess": true, ".": true, "__vault_restore__": true, "phpunit": true, "behat": true, "phpunittestdir.txt": true,
		"behattestdir.txt": true, "originaldatafiles.json": true, "behat_dump": true, "muc": true, "antivirus_quarantine": true,
		"climaintenance.html":          true,
		"climaintenance.template.html": false, "lang": false, "models": false, "repository": false, "geoip": false, "secret": false,
		"0": false, "Cache": false, "cache2": false,
	} {
		if why, got := Excluded(name, nil); got != want || got != (why != "") {
			t.Errorf("Excluded(%q) = %q, %v", name, why, got)
		}
	}
	include := []string{"muc", "cache"}
	if _, out := Excluded("muc", include); out {
		t.Error("muc can be included")
	}
	if _, out := Excluded("cache", include); !out {
		t.Error("cache can't be included")
	}
}

func TestContentHash(t *testing.T) {
	for path, want := range map[string]bool{
		ContentPath(EmptyContent):                            true,
		"da/39/da39a3ee5e6b4b0d3255bfef95601890afd80708":     true,
		"da/38/" + EmptyContent:                              false,
		EmptyContent:                                         false,
		"x/da/39/" + EmptyContent:                            false,
		"DA/39/DA39a3ee5e6b4b0d3255bfef95601890afd80709":     false,
		"da/39/da39a3ee5e6b4b0d3255bfef95601890afd80709.tmp": false,
		"warning.txt":                                        false,
		"":                                                   false,
	} {
		if _, ok := ContentHash(path); ok != want {
			t.Errorf("ContentHash(%q) is %v", path, ok)
		}
	}
	for name, want := range map[string]bool{EmptyContent + ".tmp": true, ".nfs0000000001": true, EmptyContent: false, "x.tmp": false} {
		if Unfinished(name) != want {
			t.Errorf("Unfinished(%q) is %v", name, !want)
		}
	}
}
