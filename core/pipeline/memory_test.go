package pipeline_test

import (
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/pipeline"
)

// A small container lowers the default, and not what a person has set.
func TestDefaultMemoryFollowsTheContainer(t *testing.T) {
	for limit, want := range map[int64]config.Size{0: 256 << 20, 8 << 30: 256 << 20, 300 << 20: 225 << 20, 64 << 20: 96 << 20} {
		if got := pipeline.DefaultMemory(limit); got != want {
			t.Errorf("with a limit of %d it is %s, want %s", limit, got, want)
		}
	}
	for text, want := range map[string]config.Size{"": 150 << 20, "memory: 1GiB\n": 1 << 30} {
		p, found := pipeline.Parse("p.yaml", []byte("version: 1\n"+text+"source: [{use: sample}]\nsink: [{use: local, with: {dir: /x}}]\n"),
			pipeline.Options{Registry: registry(t), MemoryLimit: 200 << 20})
		if p == nil || p.Memory != want {
			t.Errorf("%q: %+v, %v", text, p, found)
		}
	}
}
