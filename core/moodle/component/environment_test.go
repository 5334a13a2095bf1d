package component

import (
	"maps"
	"strings"
	"testing"

	"github.com/lmsvault/vault/internal/lab"
)

func TestUpgradesFrom(t *testing.T) {
	const xml = `<?xml version="1.0"?><COMPATIBILITY_MATRIX>
<MOODLE version="3.9" requires="3.5"/><MOODLE version="3.11" requires="3.6"><PHP version="7.3"/></MOODLE><MOODLE version="4.0" requires="9"/><MOODLE version="1.5"/></COMPATIBILITY_MATRIX>`
	files := maps.Clone(moodle311)
	files["admin/environment.xml"] = xml
	code := load(t, tree(files), Options{})
	for from, want := range map[string]bool{
		"3.6": true, "3.6.0": true, "3.10.1+ (Build: 20210101)": true, "3.11.18": true, "3.5.9": false, "2.9": false, "3.6dev (Build: 20181101)": true, "": false,
	} {
		if ok, oldest, err := code.CanUpgrade(from); ok != want || oldest != "3.6" || err != nil {
			t.Errorf("from %q: %v, %q, %v", from, ok, oldest, err)
		}
	}
	for name, text := range map[string]string{"broken": "<MOODLE", "of other releases": `<MOODLE version="4.0"/>`} {
		files["admin/environment.xml"] = text
		if _, err := load(t, tree(files), Options{}).UpgradesFrom(); err == nil || !strings.HasPrefix(err.Error(), "admin/environment.xml: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := load(t, tree(moodle311), Options{}).CanUpgrade("3.10"); err == nil {
		t.Error("no environment.xml is no error")
	}
}

// Moodle 4.5 upgrades sites from 4.1.2 on.
func TestRealCodeUpgradesFrom(t *testing.T) {
	code := load(t, lab.Code(t), Options{})
	if oldest, err := code.UpgradesFrom(); oldest != "4.1.2" || err != nil {
		t.Errorf("%q, %v", oldest, err)
	}
}
