package pipeline_test

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
)

// A pipeline that reads the data root and not the uploaded files is warned about.
func TestDatarootWithoutFiledirGivesWarning(t *testing.T) {
	const start = "version: 1\nsource:\n  - {use: dataroot, with: {dir: /data}}\n"
	for text, want := range map[string]int{
		start: 1,
		start + "  - {use: files, with: {dir: /data/filedir}}\n": 0,
	} {
		_, found := pipeline.Parse("p.yaml", []byte(text+"sink: [{use: local, with: {dir: /backups}}]\n"), pipeline.Options{Registry: registry(t)})
		var told int
		for _, f := range found.Of(config.Warning) {
			if strings.Contains(f.Message, "filedir, the content of all uploaded files") && f.Suggestion == "add a source files" {
				told++
			}
		}
		if told != want {
			t.Errorf("%s: %v", text, found)
		}
	}
}
