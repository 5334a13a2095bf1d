package maintenance

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/maintenance"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	"github.com/lmsvault/vault/internal/isolated"
)

// act runs the action with a mode and returns its finding as "LEVEL WHAT".
func act(t *testing.T, c Config, mode string, dry bool) string {
	t.Helper()
	c.Mode = mode
	if err := config.Defaults(&c); err != nil {
		t.Fatal(err)
	}
	st := isolated.Stage(t, Stage())
	a, err := st.NewAction(t.Context(), &c, stage.Env{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if closing, ok := a.(stage.Closer); ok {
		defer func() {
			if err := closing.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		}()
	}
	r, err := a.Run(t.Context(), stage.ActionRequest{Moment: stage.MomentAfter, DryRun: dry})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil || len(r.Findings) != 1 {
		t.Fatalf("findings %v, %v", r.Findings, err)
	}
	return string(r.Findings[0].Level) + " " + r.Findings[0].What
}

// page returns the file that closes the site, "" if the site is open.
func page(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, maintenance.FileName))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

func TestOnClosesTheSiteAndOffOpensIt(t *testing.T) {
	dir := t.TempDir()
	c := Config{DataRoot: dir, Message: `Back at <b>6</b> <?php phpinfo() ?>`}
	if got := act(t, c, "on", true); got != "ok would close the site" || page(t, dir) != "" {
		t.Errorf("a dry run says %q and leaves %q", got, page(t, dir))
	}
	if got := act(t, c, "on", false); got != "ok closed the site" {
		t.Errorf("on says %q", got)
	}
	if text := page(t, dir); !strings.Contains(text, "Back at &lt;b&gt;6&lt;/b&gt;") || strings.Contains(text, "<?") {
		t.Errorf("the page is %q", text)
	}
	info, err := os.Stat(filepath.Join(dir, maintenance.FileName))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the web server can't read it: %v, %v", info.Mode(), err)
	}
	if got := act(t, c, "off", true); got != "ok would open the site" || page(t, dir) == "" {
		t.Errorf("a dry run says %q", got)
	}
	if got := act(t, c, "off", false); got != "ok opened the site" || page(t, dir) != "" {
		t.Errorf("off says %q", got)
	}
	if got := act(t, c, "off", false); got != "ok the site is open" {
		t.Errorf("off says %q", got)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A run that was killed has left the site closed.
func TestARunRecognisesItsOwnClosing(t *testing.T) {
	c := Config{DataRoot: t.TempDir()}
	act(t, c, "on", false)
	if got := act(t, c, "on", false); got != "ok the site is still closed since an earlier run" {
		t.Errorf("on says %q", got)
	}
	if got := act(t, c, "off", false); got != "ok opened the site" {
		t.Errorf("off says %q", got)
	}
}

func TestSomebodyElsesClosingStays(t *testing.T) {
	for name, text := range map[string]string{"moodle": "Down.", "another mark": "<!-- closed by Vault: nightly -->", "damaged": "<!-- closed by Vault: nightly", "empty": ""} {
		c := Config{DataRoot: t.TempDir()}
		file := filepath.Join(c.DataRoot, maintenance.FileName)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := act(t, c, "on", false); !strings.HasPrefix(got, "note the site is closed already, by ") {
			t.Errorf("%s: on says %q", name, got)
		}
		if got := act(t, c, "off", false); !strings.HasPrefix(got, "note the site stays closed, because ") {
			t.Errorf("%s: off says %q", name, got)
		}
		if got := page(t, c.DataRoot); got != text {
			t.Errorf("%s: the file is now %q", name, got)
		}
	}
}

func TestASiteWithAnIncompleteRestoreIsNotOpened(t *testing.T) {
	for _, mark := range []string{filetree.MarkerName, filetree.SwapName + "/ready"} {
		c := Config{DataRoot: t.TempDir()}
		act(t, c, "on", false)
		file := filepath.Join(c.DataRoot, mark)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := act(t, c, "off", false); !strings.HasPrefix(got, "warning the site stays closed") || page(t, c.DataRoot) == "" {
			t.Errorf("%s: off says %q", mark, got)
		}
	}
}

func TestOffOpensASiteThatARestoreLeftClosed(t *testing.T) {
	c := Config{DataRoot: t.TempDir()}
	root, err := os.OpenRoot(c.DataRoot)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if _, err := maintenance.Close(root, "restore settled-1", maintenance.DefaultMessage); err != nil {
		t.Fatal(err)
	}
	if got := act(t, c, "off", false); got != "ok opened the site" {
		t.Errorf("off says %q", got)
	}
}

func TestNoDataRootIsNoError(t *testing.T) {
	c := Config{DataRoot: filepath.Join(t.TempDir(), "none")}
	for _, mode := range []string{"on", "off"} {
		if got := act(t, c, mode, false); !strings.HasPrefix(got, "note the data root does not exist") {
			t.Errorf("%s says %q", mode, got)
		}
	}
}

func TestMarksThatTheFileCannotHold(t *testing.T) {
	for mark, ok := range map[string]bool{"nightly": true, "a-b c.d_1": true, "": false, "a--b": false, "-->": false, "restore x": false, strings.Repeat("x", 129): false, "a-": false} {
		if err := (&Config{Mark: mark}).Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", mark, err)
		}
	}
}
