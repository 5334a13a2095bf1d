package host_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
)

// A plugin gets the usual and the named variables, and no secrets of others.
func TestEnvironmentIsFiltered(t *testing.T) {
	for name, value := range map[string]string{
		"LMSVAULT_PASSPHRASE": "open sesame", "SITE_DSN": "root:pw1@tcp(db)/moodle", "AWS_SECRET_ACCESS_KEY": "pw2",
		"LANG": "de_DE.UTF-8", "NAMED": "yes", "https_proxy": "http://me:pw3@proxy:3128", "http_proxy": "http://proxy:3128",
	} {
		t.Setenv(name, value)
	}
	h, log := rogueHost(t, time.Minute)
	p := self(t)
	p.Env = []string{"NAMED", "NOT_SET"}
	s := mustOpen(t, h, p, rogueConfig{File: "pw4"})
	got := strings.Split(ask(t, s, "environment"), "\n")
	for _, want := range []string{"LANG=de_DE.UTF-8", "NAMED=yes", "http_proxy=http://proxy:3128", "PATH=" + os.Getenv("PATH")} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
	known := []string{
		"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "no_proxy", "NO_PROXY", "HTTP_PROXY",
		"NAMED", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED",
		"VAULT_PLUGIN", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR",
	}
	for _, v := range got {
		if name, _, _ := strings.Cut(v, "="); !slices.Contains(known, name) {
			t.Errorf("%s reaches the plugin", v)
		}
	}
	if e := log.find(t, "not passing variables with a password"); e.attrs["variables"] != "https_proxy" || e.level != slog.LevelWarn {
		t.Errorf("log entry is %+v", e)
	}
	if got := ask(t, s, "command"); got != "test" {
		t.Errorf("the command line is %q", got)
	}
}

// Output has the plugin's name and the right level, wherever it was printed.
func TestOutputIsLogged(t *testing.T) {
	t.Setenv(early, "print")
	h, log := rogueHost(t, time.Minute)
	p := self(t)
	p.Name, p.Env = "chatty", []string{early}
	s := mustOpen(t, h, p, rogueConfig{Do: "talk"})
	if err := s.Put(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	for text, level := range map[string]slog.Level{
		"a library says hello": slog.LevelInfo, "1|2|3": slog.LevelInfo, "printed": slog.LevelInfo, "printed as error": slog.LevelInfo,
		"printed with level": slog.LevelWarn, "a detail": slog.LevelDebug, "a step": slog.LevelInfo, "a doubt": slog.LevelWarn, "a failure": slog.LevelError,
	} {
		if e := log.find(t, text); e.level != level || e.attrs["plugin"] != "chatty" {
			t.Errorf("%q has level %v and attributes %v", text, e.level, e.attrs)
		}
	}
	if e := log.find(t, "a step"); e.attrs["n"] != "5" || e.attrs["where"] != "[table=user]" || e.attrs["stage"] != "rogue" {
		t.Errorf("the attributes are %v", e.attrs)
	}
	if e := log.find(t, "a failure"); e.attrs["error"] != "no space" {
		t.Errorf("the attributes are %v", e.attrs)
	}
	if e := log.find(t, "a doubt"); e.attrs["time"] != "noon" || e.attrs["level"] != "high" {
		t.Errorf("the attributes are %v", e.attrs)
	}
	log.loud(t)
}

// No amount of output blocks a plugin; long lines are truncated.
func TestHeavyOutputDoesNotBlock(t *testing.T) {
	h, log := rogueHost(t, time.Minute)
	for _, do := range []string{"long-line", "flood"} {
		if err := mustOpen(t, h, self(t), rogueConfig{Do: do}).Put(t.Context(), "x", nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	for _, begin := range []string{"xxxxx", "yyyyy", `{"@timestamp"`} {
		e := log.find(t, begin)
		if len(e.text) < 60<<10 || len(e.text) > 70<<10 || !strings.HasSuffix(e.text, "… (cut)") || log.count(begin) != 1 {
			t.Errorf("%s: %d bytes are logged in %d lines", begin, len(e.text), log.count(begin))
		}
	}
	if e := log.find(t, `{"@timestamp"`); e.level != slog.LevelWarn {
		t.Errorf("a cut line lost its level: %v", e.level)
	}
	if n := log.count("one line of very many"); n != 20_000 {
		t.Errorf("%d of 20000 lines are logged", n)
	}
}

// Stages and instances of one program share a process, except across groups.
func TestStagesOfProgramShareProcess(t *testing.T) {
	h, _ := rogueHost(t, time.Minute)
	a := ask(t, mustOpen(t, h, self(t), rogueConfig{}), "pid")
	b := ask(t, mustOpen(t, h, self(t), rogueConfig{Do: "panic"}), "pid")
	other := self(t)
	other.Group = "other"
	c := ask(t, mustOpen(t, h, other, rogueConfig{}), "pid")
	if a != b || a == c {
		t.Errorf("processes are %s, %s and, in another group, %s", a, b, c)
	}
}

// After Close no process, file or socket of a plugin remains.
func TestCloseLeavesNothing(t *testing.T) {
	for _, do := range []string{"", "family", "litter", "stop-later", "hang", "kill"} {
		t.Run(do, func(t *testing.T) {
			dir := t.TempDir()
			h := host.New(host.Config{Log: slog.New(slog.DiscardHandler), Dir: dir, Stall: time.Minute})
			file := filepath.Join(t.TempDir(), "family")
			s := mustOpen(t, h, self(t), rogueConfig{Do: do, File: file, Once: filepath.Join(t.TempDir(), "once")})
			pid, err := strconv.Atoi(ask(t, s, "pid"))
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(onlyEntry(t, dir)); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the plugin's directory has %v, %v", info.Mode(), err)
			}
			ctx := t.Context()
			if do == "hang" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
			}
			if err := s.Put(ctx, "x", nil); err != nil && do != "hang" {
				t.Error(err)
			}
			pids := []int{pid}
			if do == "family" {
				pids = family(t, file)
			}
			if do == "stop-later" {
				for stopped := false; !stopped; {
					stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
					if err != nil {
						t.Fatal(err)
					}
					_, state, _ := strings.Cut(string(stat), ") ")
					stopped = strings.HasPrefix(state, "T")
				}
			}
			began := time.Now()
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("closing took %v", took)
			}
			gone(t, time.Second, pids...)
			empty(t, dir)
		})
	}
}

func family(t testing.TB, file string) []int {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, word := range strings.Fields(string(content)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) != 2 || !alive(pids[0]) || !alive(pids[1]) {
		t.Fatalf("processes are %v", pids)
	}
	return pids
}

func onlyEntry(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("the directory holds %v, %v", entries, err)
	}
	return filepath.Join(dir, entries[0].Name())
}

// hostFolder makes the test binary a host that will be killed.
const hostFolder = "TEST_HOST_FOLDER"

// beHost starts two plugin processes, one of them with a child, and waits to be killed.
func beHost(dir string) error {
	h := host.New(host.Config{Log: slog.New(slog.DiscardHandler), Dir: dir})
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	for _, group := range []string{"a", "b"} {
		p := host.Program{Name: "test", Path: exe, Group: group}
		c := &rogueConfig{Do: "family", File: filepath.Join(dir, group)}
		s, err := h.Isolate(rogueStage(), p).NewStorage(context.Background(), c, stage.Env{})
		if err != nil {
			return err
		}
		if err := s.Put(context.Background(), "x", nil); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	select {}
}

// A killed host takes its plugins and their children with it.
func TestKilledHostLeavesNoProcess(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(self(t).Path)
	cmd.Env = append(os.Environ(), hostFolder+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 16)
	if n, err := out.Read(said); string(said[:n]) != "ready\n" {
		t.Fatalf("output is %q, %v", said[:n], err)
	}
	pids := append(family(t, filepath.Join(dir, "a")), family(t, filepath.Join(dir, "b"))...)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it was not killed")
	}
	gone(t, 3*time.Second, pids...)
}

// Signals that reach a plugin as well as its host do not end it.
func TestPluginSurvivesSignals(t *testing.T) {
	h, log := rogueHost(t, time.Minute)
	s := mustOpen(t, h, self(t), rogueConfig{})
	pid, err := strconv.Atoi(ask(t, s, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range terminating() {
		if err := process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if got := ask(t, s, "pid"); got != strconv.Itoa(pid) {
			t.Errorf("after %v another process answers", sig)
		}
	}
	if log.count("restarting a plugin") > 0 {
		t.Error("the plugin ended")
	}
}

// A long TMPDIR leaves no room for the name of a socket.
func TestLongTempDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	h := host.New(host.Config{Log: slog.New(slog.DiscardHandler), Dir: dir, Stall: time.Minute})
	s := mustOpen(t, h, self(t), rogueConfig{Do: "kill", Once: filepath.Join(t.TempDir(), "once")})
	if err := s.Put(t.Context(), "x", nil); err != nil {
		t.Error(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	empty(t, dir)
}
