package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/sdk"
)

// The conformance kit tests everything that Vault relies on. vault plugin test runs the
// same checks with the finished program, and kills it too.
func TestContract(t *testing.T) {
	plan, units := conformance.SampleUnits([]string{stage.Filedir, stage.Dataroot}, "")
	conformance.Sink(t, conformance.SinkFixture{Plan: plan, Units: units, Place: func(t testing.TB) conformance.Target {
		path := filepath.Join(t.TempDir(), "files.txt")
		return conformance.Target{
			Open: func() stage.Sink {
				s, err := open(t.Context(), &Config{File: path}, sdk.Env{})
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Untouched: func(t testing.TB) {
				if left, err := filepath.Glob(path + "*"); err != nil || len(left) > 0 {
					t.Errorf("%q exist (%v)", left, err)
				}
			},
			Holds: func(t testing.TB, items []conformance.Item) { lists(t, path, items) },
		}
	}})
}

// lists fails the test unless the list has exactly the files among the items.
func lists(t testing.TB, path string, items []conformance.Item) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, item := range items {
		if item.Entry.Kind != stage.File {
			continue
		}
		files++
		line := fmt.Sprintf("%s%s %d %q\n", item.Digest.SHA1, item.Digest.SHA256, item.Digest.Bytes, item.Entry.Path)
		if strings.Count(string(text), line) != 1 {
			t.Errorf("%s is not listed exactly once", item.Entry.Path)
		}
	}
	if n := bytes.Count(text, []byte("\n")); n != files {
		t.Errorf("%d files are listed, want %d", n, files)
	}
}
