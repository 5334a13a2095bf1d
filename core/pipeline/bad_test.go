package pipeline_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
)

var update = flag.Bool("update", false, "write what is found into testdata")

// Each testdata/bad/NAME.yaml gives what testdata/bad/NAME.txt says, run and
// linted: a line per finding, word for word.
func TestFindings(t *testing.T) {
	env := environment(map[string]string{
		"SITE_DSN": "u:hunter2@tcp(db)/moodle", "TARGET_DSN": "u:hunter2@tcp(db)/copy", "SHORT": "short", "SECRET_WORD": "hunter2", "ELSEWHERE": "s3://hunter2@bucket", "BROKEN_DSN": "u:hunter2@tcp(db)/moodle\nx\n",
	})
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			o := pipeline.Options{Registry: registry(t), Values: config.Values{Env: env}}
			p, found := pipeline.Parse(name+".yaml", text, o)
			if len(found) == 0 {
				t.Fatal("nothing found")
			}
			if errs := found.Err(); (p == nil) != (errs != nil) || errs != nil && failure.Of(errs) != failure.Usage {
				t.Errorf("pipeline %v with error %v of class %d", p, errs, failure.Of(errs))
			}
			got := lines(found)
			o.Values.Offline = true
			_, found = pipeline.Parse(name+".yaml", text, o)
			if offline := lines(found); offline != got {
				got += "offline:\n" + offline
			}
			if strings.Contains(got, "hunter2") || strings.ContainsRune(got, '\x1b') {
				t.Errorf("a secret or a control character is printed:\n%s", got)
			}
			golden := strings.TrimSuffix(path, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("found\n%swant\n%s", got, want)
			}
		})
	}
}

func lines(found config.Findings) string {
	var b strings.Builder
	for _, f := range found {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}
