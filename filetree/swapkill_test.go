package filetree_test

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/filetree"
	"github.com/lmsvault/vault/plugins/conformance"
	sinkdataroot "github.com/lmsvault/vault/sinks/dataroot"
	sinkfiles "github.com/lmsvault/vault/sinks/files"
)

// Environment variables that turn the test binary into a restore to be killed.
const (
	killPart    = "VAULT_TEST_SWAP_PART"
	killDir     = "VAULT_TEST_SWAP_DIR"
	killVersion = "VAULT_TEST_SWAP_VERSION"
)

// restoreToBeKilled restores a version and reports when it is about to publish.
func restoreToBeKilled(part string) int {
	ctx := context.Background()
	s, err := killSink(part, os.Getenv(killDir))
	if err == nil {
		err = writeVersion(ctx, s, part, os.Getenv(killVersion))
	}
	if err == nil {
		fmt.Println("publish")
		err = s.Publish(ctx)
	}
	if err == nil {
		err = s.Close(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func killSink(part, dir string) (stage.FileSink, error) {
	owner := "user"
	if os.Geteuid() == 0 {
		owner = "keep"
	}
	st, cfg := sinkfiles.Stage(), any(&sinkfiles.Config{Dir: dir, Owner: owner})
	if part == stage.Dataroot {
		st, cfg = sinkdataroot.Stage(), &sinkdataroot.Config{Dir: dir, Owner: owner}
	}
	s, err := st.NewSink(context.Background(), cfg, stage.Env{TempDir: os.TempDir()})
	if err != nil {
		return nil, err
	}
	return s.(stage.FileSink), nil
}

func killPlan(part string) *stage.Plan {
	p := &stage.Plan{Replace: stage.ReplaceSwap}
	if part == stage.Dataroot {
		p.Preserve = []string{"lang/mine", "d1/e/mine", "f7"}
	}
	return p
}

// writeVersion does everything before Publish.
func writeVersion(ctx context.Context, s stage.FileSink, part, version string) error {
	if err := s.Begin(ctx, killPlan(part)); err != nil {
		return err
	}
	w, err := s.WriteFiles(ctx, stage.Unit{ID: "u"})
	if err != nil {
		return err
	}
	for _, i := range versionItems(part, version) {
		if err := w.Open(ctx, i.Entry); err != nil {
			return err
		}
		if err := w.Write(ctx, i.Content()); i.Entry.Kind == stage.File && err != nil {
			return err
		}
		if err := w.Close(ctx, i.Digest); err != nil {
			return err
		}
	}
	if _, err := w.Commit(ctx); err != nil {
		return err
	}
	return s.Finish(ctx, &stage.Outcome{})
}

// versionItems returns a site's part; some items exist in one version only.
func versionItems(part, version string) (items []conformance.Item) {
	add := func(i conformance.Item) {
		i.Entry.ModTime = time.Unix(1e9+int64(len(items)), 7)
		i.Entry.Owner = stage.Owner{Known: true, UID: uint32(4000 + len(version)), GID: uint32(5000 + len(items)%7)}
		items = append(items, i)
	}
	if part == stage.Filedir {
		for i := range 120 {
			if i%5 != len(version) {
				add(fileItem(fmt.Sprintf("filedir/%02x/%02x/%s%d", i, i, version, i), version))
			}
		}
		return items
	}
	add(dirItem("dataroot/lang", 0o750))
	add(fileItem("dataroot/lang/"+version, version))
	add(dirItem("dataroot/muc", 0o700+uint32(len(version)))) // it is kept and changes
	add(fileItem("dataroot/muc/config.php", version))
	for i := range 60 {
		add(dirItem(fmt.Sprintf("dataroot/d%d", i), 0o500))
		add(dirItem(fmt.Sprintf("dataroot/d%d/e", i), 0o700))
		add(fileItem(fmt.Sprintf("dataroot/d%d/e/%s", i, version), version))
		add(fileItem(fmt.Sprintf("dataroot/f%d", i), version))
		add(fileItem(fmt.Sprintf("dataroot/%s%d\xff\n", version, i), version))
	}
	return items
}

// state lists what is below a directory, except Vault's own files, with modes,
// owners, times and contents.
func state(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if strings.HasPrefix(rel, ".vault-") {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all[rel] = info.Mode().String() + fmt.Sprint(filetree.Owner(info))
		if d.IsDir() && (strings.HasPrefix(rel, "filedir") || len(rel) == 2 || len(rel) == 5) {
			return nil // directories without a time of their own
		}
		all[rel] += info.ModTime().String()
		if !d.IsDir() {
			content, err := os.ReadFile(path)
			all[rel] += string(content)
			return err
		}
		return nil
	}))
	return all
}

func isThere(t testing.TB, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return err == nil
}

// Whenever a restore is killed, the directory holds the old tree or the new one, or
// is marked; the next run makes it one of the two.
func TestKilledSwapLeavesOldOrNew(t *testing.T) {
	for part, kept := range map[string][]string{
		stage.Dataroot: {"lang/mine/x", "d1/e/mine", "f7", "cache/c", "sessions/s", "filedir/" + poolFile, "muc/theirs"},
		stage.Filedir:  {"lost+found/x", poolFile},
	} {
		t.Run(part, func(t *testing.T) { killedSwap(t, part, holding(t, kept...)) })
	}
}

func killedSwap(t *testing.T, part, dir string) {
	ctx := t.Context()
	child := func(version string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), killPart+"="+part, killDir+"="+dir, killVersion+"="+version)
		cmd.Stderr = os.Stderr
		return cmd
	}
	versions := map[string]map[string]string{}
	var whole, publishing time.Duration
	for _, version := range []string{"a", "bb", "a"} {
		start := time.Now()
		cmd := child(version)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		_, err = bufio.NewReader(out).ReadString('\n')
		must(t, err)
		published := time.Now()
		must(t, cmd.Wait())
		whole, publishing = time.Since(start), time.Since(published)
		got := state(t, dir)
		if before := versions[version]; before != nil && !maps.Equal(before, got) {
			t.Fatalf("two restores of one version differ: %v", differ(before, got))
		}
		versions[version] = got
	}
	at, outcome := "a", map[string]int{}
	for round := range 50 {
		next := map[string]string{"a": "bb", "bb": "a"}[at]
		cmd := child(next)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		wait := time.Duration(rand.Int64N(int64(whole)))
		if round%5 != 0 { // most in Publish, where it matters
			_, err = bufio.NewReader(out).ReadString('\n')
			must(t, err)
			wait = time.Duration(rand.Float64() * rand.Float64() * float64(publishing)) // its end only removes
		}
		time.Sleep(wait)
		must(t, cmd.Process.Kill())
		_ = cmd.Wait() // killed, or just done

		marked := isThere(t, filepath.Join(dir, filetree.MarkerName))
		if got := state(t, dir); !marked && !maps.Equal(got, versions[at]) && !maps.Equal(got, versions[next]) {
			t.Fatalf("round %d: the directory is neither old nor new, and not marked: %v", round, differ(versions[at], got))
		}
		s, err := killSink(part, dir)
		must(t, err)
		must(t, s.Begin(ctx, killPlan(part)))
		must(t, s.Abort(ctx))
		must(t, s.Close(ctx))
		got := state(t, dir)
		switch {
		case isThere(t, filepath.Join(dir, filetree.MarkerName)) || isThere(t, filepath.Join(dir, filetree.SwapName)):
			t.Fatalf("round %d: the next run leaves a marker or %s", round, filetree.SwapName)
		case maps.Equal(got, versions[at]):
			outcome["old"]++
		case maps.Equal(got, versions[next]):
			outcome["new"]++
			at = next
		default:
			t.Fatalf("round %d: after the next run it is neither old nor new: %v", round, differ(versions[at], got))
		}
		if marked {
			outcome["in the middle"]++
		}
	}
	t.Logf("whole %v, publishing %v: %v", whole, publishing, outcome)
	if outcome["old"] == 0 || outcome["in the middle"] == 0 {
		t.Errorf("no kill came in the middle: %v", outcome)
	}
}

func differ(a, b map[string]string) (paths []string) {
	for path := range a {
		if a[path] != b[path] {
			paths = append(paths, fmt.Sprintf("%q: %q, %q", path, a[path], b[path]))
		}
	}
	for path := range b {
		if _, ok := a[path]; !ok {
			paths = append(paths, fmt.Sprintf("%q: new", path))
		}
	}
	return paths[:min(len(paths), 5)]
}
