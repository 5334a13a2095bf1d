package repository_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/repository"
	"github.com/lmsvault/vault/core/repository/manifest"
	"github.com/lmsvault/vault/core/repository/object"
	"github.com/lmsvault/vault/core/stage"
)

func signingKey(t *testing.T) manifest.SigningKey {
	t.Helper()
	k, err := manifest.NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// trusting opens an unencrypted repository with trusted signers.
func trusting(t *testing.T, m *memory, signers ...manifest.Signer) *repository.Repository {
	t.Helper()
	r, err := repository.Open(t.Context(), m, repository.Chain{Signers: signers})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// signedBy backs up a small site and signs the snapshot with a key.
func signedBy(k manifest.SigningKey, content string) *site {
	s := small("nightly", "", "")
	s.files["dataroot/x"], s.signs = []byte(content), k
	return s
}

// clearly makes a backup without transforms.
func clearly(t *testing.T, s *site, m *memory) repository.Summary {
	t.Helper()
	sum, err := backup(t.Context(), s, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// tag returns the first bytes of an object, which anyone can compute who can read the storage
// of an unencrypted repository.
func tag(t *testing.T, m *memory, name string, content []byte) []byte {
	t.Helper()
	parts := strings.Split(name, "/") // snapshots/KID/ID
	var root struct{ ID string }
	var key struct{ Secret []byte }
	if err := errors.Join(json.Unmarshal(m.objects["repository.json"], &root), json.Unmarshal(m.objects["keys/"+parts[1]], &key)); err != nil {
		t.Fatal(err)
	}
	objects, err := hkdf.Key(sha256.New, key.Secret, nil, "vault repository 1 object", 32)
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, objects)
	fmt.Fprintf(h, "vault/1/%s/%s/snapshot/%s\x00%s", root.ID, parts[1], parts[2], content)
	return h.Sum(nil)
}

// forge stores the content of a manifest under a name, in the repository's format.
func forge(t *testing.T, m *memory, name string, content []byte) {
	t.Helper()
	m.objects[name] = append(tag(t, m, name, content), content...)
}

// content returns the manifest and its signature from an unencrypted manifest object.
func content(m *memory, name string) []byte { return bytes.Clone(m.objects[name][sha256.Size:]) }

func TestSignedSnapshotIsRead(t *testing.T) {
	m, key := newMemory(), signingKey(t)
	sum := clearly(t, signedBy(key, "content"), m)
	for _, signers := range [][]manifest.Signer{nil, {key.Signer()}, {signingKey(t).Signer(), key.Signer()}} {
		r := trusting(t, m, signers...)
		snap, err := r.Load(t.Context(), theLatest)
		if err != nil {
			t.Fatal(err)
		}
		if by, ok := snap.Signer(); !ok || by != key.Signer() || snap.ID != sum.Snapshot {
			t.Errorf("signed by %s, %v", by, ok)
		}
		var got bytes.Buffer
		if err := r.Cat(t.Context(), snap, "dataroot/x", &got); err != nil || got.String() != "content" {
			t.Errorf("%q, %v", got.String(), err)
		}
		if found, err := r.Verify(t.Context(), repository.Choice{}, nil); err != nil || len(found) > 0 {
			t.Errorf("verify: %v, %v", found, err)
		}
	}
	sealed := newMemory()
	mustBackup(t, signedBy(key, "content"), sealed, "secret")
	if snap, err := open(t, sealed, "secret").Load(t.Context(), theLatest); err != nil || repository.Site(snap).ID != "" {
		t.Error(err)
	} else if by, ok := snap.Signer(); !ok || by != key.Signer() {
		t.Errorf("encrypted: signed by %s, %v", by, ok)
	}
}

// An attacker with write access to an unencrypted repository can create and change snapshots,
// but they don't count as signed by the writer.
func TestForgedSnapshotsAreRefused(t *testing.T) {
	key := signingKey(t)
	for name, attack := range map[string]func(t *testing.T, m *memory, where string) string{
		"unsigned": func(t *testing.T, m *memory, _ string) string {
			return clearly(t, signedBy(manifest.SigningKey{}, "evil"), m).Where
		},
		"signed by another key": func(t *testing.T, m *memory, _ string) string {
			return clearly(t, signedBy(signingKey(t), "evil"), m).Where
		},
		"signature removed": func(t *testing.T, m *memory, where string) string {
			manifest, _, _ := bytes.Cut(content(m, where), []byte("\n"))
			forge(t, m, where, manifest)
			return where
		},
		"manifest changed": func(t *testing.T, m *memory, where string) string {
			forge(t, m, where, bytes.Replace(content(m, where), []byte(`"nightly"`), []byte(`"evening"`), 1))
			return where
		},
		"signature of another snapshot": func(t *testing.T, m *memory, where string) string {
			evil := clearly(t, signedBy(manifest.SigningKey{}, "evil"), m).Where
			_, line, _ := bytes.Cut(content(m, where), []byte("\n"))
			forge(t, m, evil, append(append(content(m, evil), '\n'), line...))
			return evil
		},
		"name changed": func(t *testing.T, m *memory, where string) string { // an old snapshot under a newer ID
			id, later := where[len(where)-24:], "20260101-000000-00000000"
			name := strings.TrimSuffix(where, id) + later
			forge(t, m, name, bytes.Replace(content(m, where), []byte(id), []byte(later), 1))
			delete(m.objects, where)
			return name
		},
		"from another repository": func(t *testing.T, m *memory, where string) string {
			other := newMemory()
			from := clearly(t, signedBy(key, "old"), other).Where
			name := strings.TrimSuffix(where, where[len(where)-24:]) + from[len(from)-24:]
			forge(t, m, name, content(other, from))
			delete(m.objects, where)
			return name
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			where := clearly(t, signedBy(key, "content"), m).Where
			forged := attack(t, m, where)
			r := trusting(t, m, key.Signer())
			if _, err := r.Load(t.Context(), repository.Choice{Snapshot: forged[len(forged)-24:]}); !errors.Is(err, manifest.ErrUnsigned) || failure.Of(err) != failure.Refused {
				t.Errorf("by ID: %v", err)
			}
			snap, err := r.Load(t.Context(), theLatest)
			src := repository.NewSource(m, theLatest, repository.Chain{Signers: []manifest.Signer{key.Signer()}})
			inv, restoring := src.Plan(t.Context(), stage.PlanRequest{})
			if _, whole := m.objects[where]; whole && forged != where {
				if err != nil || restoring != nil || snap.Name() != where || inv.Snapshot != snap.ID {
					t.Fatalf("latest is not the newest signed snapshot: %v, %v", err, restoring)
				}
				if n, ok := repository.Skipped(snap); !ok || n.Path != forged || !strings.Contains(n.Text, "1 newer snapshot is skipped: not signed by a trusted key") || !slices.Contains(inv.Notes, n) {
					t.Errorf("the skipped snapshot is not reported: %v, notes %v", n, inv.Notes)
				}
				if snap, err := r.Load(t.Context(), repository.Choice{Snapshot: where[len(where)-24:]}); err != nil || snap.Name() != where {
					t.Errorf("signed snapshot: %v", err)
				}
			} else if !errors.Is(err, manifest.ErrUnsigned) || failure.Of(err) != failure.Refused || !errors.Is(restoring, manifest.ErrUnsigned) {
				t.Errorf("latest without a signed snapshot: %v, %v", err, restoring)
			}
			found, err := r.Verify(t.Context(), repository.Choice{}, nil)
			told := false
			for _, f := range found {
				told = told || f.Object == forged
			}
			if err != nil || !told {
				t.Errorf("verify: %+v, %v", found, err)
			}
		})
	}
}

// Sites with different signing keys may share a repository. Latest skips the newer snapshots
// of the other site.
func TestLatestSkipsOtherSigners(t *testing.T) {
	m, school, college := newMemory(), signingKey(t), signingKey(t)
	back := func(pipeline, id string, k manifest.SigningKey) string {
		s := small(pipeline, id, id)
		s.signs = k
		return clearly(t, s, m).Snapshot
	}
	back("nightly", "s1", school)
	want := back("nightly", "s1", school)
	other := back("nightly", "s2", college)
	back("nightly", "s2", college)
	back("nightly", "s1", manifest.SigningKey{})
	r := trusting(t, m, school.Signer())
	for _, c := range []repository.Choice{{}, {Site: "s1"}, {Pipeline: "nightly"}, {Site: "s1", Pipeline: "nightly"}} {
		snap, err := r.Load(t.Context(), c)
		if err != nil || snap.ID != want {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if n, ok := repository.Skipped(snap); !ok || !strings.Contains(n.Text, "3 newer snapshots") {
			t.Errorf("%+v: got note %v", c, n)
		}
	}
	if _, err := r.Load(t.Context(), repository.Choice{Site: "s2"}); !errors.Is(err, manifest.ErrUnsigned) || failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), `site "s2"`) || !strings.Contains(err.Error(), "3 of 5") {
		t.Errorf("a site without signed snapshots: %v", err)
	}
	if _, err := r.Load(t.Context(), repository.Choice{Snapshot: other}); !errors.Is(err, manifest.ErrUnsigned) {
		t.Errorf("snapshot of another key by ID: %v", err)
	}
	if snap, err := trusting(t, m, school.Signer(), college.Signer()).Load(t.Context(), repository.Choice{Site: "s2"}); err != nil {
		t.Error(err)
	} else if n, ok := repository.Skipped(snap); !ok || !strings.Contains(n.Text, "1 newer snapshot is skipped") {
		t.Errorf("note %v", n)
	}
}

// A wrong signature is reported as damage even if there are no trusted signers.
func TestChangedSignedSnapshotIsDamage(t *testing.T) {
	m := newMemory()
	where := clearly(t, signedBy(signingKey(t), "content"), m).Where
	forge(t, m, where, bytes.Replace(content(m, where), []byte(`"nightly"`), []byte(`"evening"`), 1))
	var damage *object.Damage
	if _, err := trusting(t, m).Load(t.Context(), theLatest); !errors.As(err, &damage) || damage.Object != where {
		t.Errorf("load: %v", err)
	}
}

// A writer that signs reuses nothing from a snapshot that it did not sign. Otherwise its
// signature would cover forged content.
func TestSignedBackupIgnoresUnsignedSnapshots(t *testing.T) {
	m, key := newMemory(), signingKey(t)
	clearly(t, signedBy(manifest.SigningKey{}, "content"), m)
	clearly(t, signedBy(signingKey(t), "content"), m)
	mine := clearly(t, signedBy(key, "content"), m).Snapshot
	clearly(t, signedBy(manifest.SigningKey{}, "content"), m)
	clearly(t, signedBy(key, "content"), m)
	list, err := trusting(t, m).Snapshots(t.Context())
	if err != nil || list[2].Snapshot.Previous != "" || list[4].Snapshot.Previous != mine {
		t.Errorf("%v: previous are %q and %q", err, list[2].Snapshot.Previous, list[4].Snapshot.Previous)
	}
	only := trusting(t, m, key.Signer())
	if list, err = only.Snapshots(t.Context()); err != nil || list[3].Snapshot != nil || !errors.Is(list[3].Err, manifest.ErrUnsigned) || list[4].Err != nil {
		t.Errorf("list with a signer: %+v, %v", list, err)
	}
}

func TestSigningKeyFiles(t *testing.T) {
	key := signingKey(t)
	file := string(key.File())
	back, err := manifest.ParseSigningKey("\n" + file + "\r\n")
	if err != nil || back.Signer() != key.Signer() {
		t.Errorf("the key file was read as %v, %v", back, err)
	}
	if s, err := manifest.ParseSigner(" " + key.Signer().String() + "\n"); err != nil || s != key.Signer() {
		t.Errorf("the public key was read as %v, %v", s, err)
	}
	_, secret, _ := strings.Cut(strings.TrimSpace(file), "\n")
	if text := fmt.Sprintf("%v %+v %#v %s", key, key, key, struct{ K manifest.SigningKey }{key}); strings.Contains(text, secret[len(secret)-20:]) {
		t.Errorf("the key prints as %s", text)
	}
	swapped := secret[:30] + string([]byte{secret[31], secret[30]}) + secret[32:]
	if secret[30] == secret[31] {
		swapped = secret[:len(secret)-1]
	}
	for name, text := range map[string]string{"empty": "", "two": file + file, "cut": secret[:len(secret)-2], "changed": swapped, "public": key.Signer().String(), "age": "AGE-SECRET-KEY-1QQQ"} {
		if _, err := manifest.ParseSigningKey(text); err == nil || len(text) > 30 && strings.Contains(err.Error(), text[20:30]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	public := key.Signer().String()
	for name, text := range map[string]string{"secret": secret, "file": file, "cut": public[:len(public)-1], "other": "age1qqq"} {
		if _, err := manifest.ParseSigner(text); err == nil || strings.Contains(err.Error(), secret[20:30]) {
			t.Errorf("signer, %s: %v", name, err)
		}
	}
}
