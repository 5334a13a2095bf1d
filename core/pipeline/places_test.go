package pipeline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/pipeline"
)

// alias has y with a repository in it, and lnk, another name of the repository.
func alias(t *testing.T) string {
	t.Helper()
	base := t.TempDir()
	for _, dir := range []string{"y/backups", "y/filedir", "z"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(base, "y/backups"), filepath.Join(base, "lnk")); err != nil {
		t.Fatal(err)
	}
	return base
}

func parsed(t *testing.T, base, text string) (*pipeline.Pipeline, config.Findings) {
	return pipeline.Parse("p.yaml", []byte(strings.ReplaceAll(text, "@", base)), pipeline.Options{Registry: registry(t)})
}

func TestOverlapsAreDetectedThroughLinks(t *testing.T) {
	base := alias(t)
	for _, c := range []struct{ name, source, sinks, want string }{
		{"a repository in the folder that is replaced", "local, with: {dir: @/lnk}", "dataroot, with: {dir: @/y}", "dataroot writes to a directory that contains what local on line 2 reads"},
		{"a backup into what it reads", "dataroot, with: {dir: @/y}", "local, with: {dir: @/lnk}", "local writes into the directory that dataroot on line 2 reads"},
		{"not there yet", "dataroot, with: {dir: @/y}", "local, with: {dir: @/lnk/new}", "a backup would contain itself"},
		{"one repository under two names", "local, with: {dir: @/y/backups}", "local, with: {dir: @/lnk}", "the same place that local on line 2 reads"},
		{"two sinks, one place", "sample", "local, with: {dir: @/lnk}}, {use: local, with: {dir: @/y/backups}", "the same place as local on line 3"},
		{"a sink in another", "sample", "local, with: {dir: @/lnk}}, {use: dataroot, with: {dir: @/y}", "overlap"},
		{"a sink in another, the other way round", "sample", "dataroot, with: {dir: @/y}}, {use: local, with: {dir: @/lnk}", "overlap"},
		{"a database in a sink", "sample", "dataroot, with: {dir: @/y}}, {use: sqlite, with: {path: @/lnk/site}", "overlap"},
		{"the pool in its data root", "sample", "dataroot, with: {dir: @/y}}, {use: files, with: {dir: @/y/filedir}", ""},
		{"another folder as the pool", "sample", "dataroot, with: {dir: @/y}}, {use: files, with: {dir: @/y/files}", "overlap"},
		{"apart", "local, with: {dir: @/lnk}", "dataroot, with: {dir: @/z}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, found := parsed(t, base, "version: 1\nsource: [{use: "+c.source+"}]\nsink: [{use: "+c.sinks+"}]\n")
			got := found.Of(config.Error)
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0].Message, c.want)) {
				t.Errorf("found %v, want %q", got, c.want)
			}
			if strings.Contains(c.source+c.sinks, "lnk") && len(got) > 0 && !strings.Contains(got[0].Message, "lnk is ") && !strings.Contains(got[0].Message, "lnk/") {
				t.Errorf("where the link leads isn't said: %s", got[0].Message)
			}
		})
	}
}

// What is behind a link that a source follows is read as a part of its folder.
func TestOverlapsBehindFollowedLinksAreRefused(t *testing.T) {
	base := alias(t)
	if err := os.Symlink(filepath.Join(base, "y"), filepath.Join(base, "z/ext")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, follow, sink, want string }{
		{"a repository behind it", "[ext]", "local, with: {dir: @/y/backups}", "local would write to what dataroot on line 2 reads through the link ext"},
		{"a repository under another name", "[ext]", "local, with: {dir: @/lnk/new}", "through the link ext"},
		{"the directory itself", "[ext]", "dataroot, with: {dir: @/y}", "through the link ext"},
		{"a sink around it", "[ext/backups]", "dataroot, with: {dir: @/y}", "through the link ext/backups"},
		{"a link that is not followed", "[]", "local, with: {dir: @/y/backups}", ""},
		{"another place", "[ext]", "local, with: {dir: @/w}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, found := parsed(t, base, "version: 1\nsource: [{use: dataroot, with: {dir: @/z, follow: "+c.follow+"}}]\nsink: [{use: "+c.sink+"}]\n")
			got := found.Of(config.Error)
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0].Message, c.want)) {
				t.Errorf("found %v, want %q", got, c.want)
			}
		})
	}
}

// A link that comes after the file was read is seen by the run.
func TestApartDetectsNewLinks(t *testing.T) {
	base := alias(t)
	p, found := parsed(t, base, "version: 1\nsource: [{use: local, with: {dir: @/late}}]\nsink: [{use: dataroot, with: {dir: @/y}}]\n")
	if p == nil {
		t.Fatal(found)
	}
	if err := p.Apart(); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("lnk", filepath.Join(base, "late")); err != nil {
		t.Fatal(err)
	}
	if err := p.Apart(); failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), "p.yaml:3:36: dataroot writes to a directory that contains what local on line 2 reads") {
		t.Errorf("the link is not seen: %v", err)
	}
}

func TestExposedNotesWorldWritableRepository(t *testing.T) {
	base := alias(t)
	p, found := parsed(t, base, "version: 1\nsource: [{use: sample}]\nsink: [{use: local, with: {dir: @/z}}, {use: dataroot, with: {dir: @/y}}]\n")
	if p == nil {
		t.Fatal(found)
	}
	for mode, told := range map[os.FileMode]bool{0o755: false, 0o775: false, 0o777 | os.ModeSticky: true, 0o702: true} {
		for _, dir := range []string{"z", "y"} {
			if err := os.Chmod(filepath.Join(base, dir), mode); err != nil {
				t.Fatal(err)
			}
		}
		notes := p.Exposed()
		if (len(notes) == 1 && notes[0].Path == filepath.Join(base, "z")) != told || len(notes) > 1 {
			t.Errorf("mode %v: %v", mode, notes)
		}
	}
}
