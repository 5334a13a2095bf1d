package repository_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/stage"
)

// The contents of a key file are authenticated by its secret. A modified copy can't be
// opened, even if its name matches its hash.
func TestModifiedKeyIsRefused(t *testing.T) {
	m := newMemory()
	mustBackup(t, sampleSite(), m, "secret")
	name := m.names("keys/")[0]
	var key struct {
		Format int `json:"format"`
		Key    struct {
			Repository string    `json:"repository"`
			Created    time.Time `json:"created"`
			Transforms []struct {
				Name  string `json:"name"`
				Keyed bool   `json:"keyed,omitempty"`
			} `json:"transforms"`
		} `json:"key"`
		Secret []byte `json:"secret"`
	}
	for what, change := range map[string]func(){
		"nothing":    func() {},
		"created":    func() { key.Key.Created = key.Key.Created.AddDate(70, 0, 0) },
		"transforms": func() { key.Key.Transforms = key.Key.Transforms[1:] },
	} {
		key.Key.Transforms = nil
		if err := json.Unmarshal(m.objects[name], &key); err != nil {
			t.Fatal(err)
		}
		change()
		raw, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		hash := sha256.Sum256(raw)
		forged := newMemory()
		forged.objects["repository.json"] = m.objects["repository.json"]
		kid := hex.EncodeToString(hash[:16])
		forged.objects["keys/"+kid] = raw
		var access map[string]any // renamed to match the forged key
		if err := json.Unmarshal(m.objects[m.names("access/")[0]], &access); err != nil {
			t.Fatal(err)
		}
		access["key"] = kid
		opens, err := json.Marshal(access)
		if err != nil {
			t.Fatal(err)
		}
		named := sha256.Sum256(opens)
		forged.objects["access/"+kid+"/"+hex.EncodeToString(named[:16])] = opens
		_, err = repository.Open(t.Context(), forged, chain(t, "secret"))
		if what == "nothing" {
			if err != nil || !bytes.Equal(raw, m.objects[name]) {
				t.Errorf("unmodified key: %v", err)
			}
		} else if !errors.Is(err, stage.ErrCorrupt) || !strings.Contains(err.Error(), kid) {
			t.Errorf("modified %s: %v", what, err)
		}
	}
}
