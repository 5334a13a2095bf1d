package encrypt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
)

func keyed(t testing.TB, c Config) stage.Keyed {
	t.Helper()
	c.WorkFactor = 4
	b, err := isolated.Stage(t, Stage()).NewBytes(t.Context(), &c, stage.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return b.(stage.Keyed)
}

func identity(t testing.TB) (recipient string, secret config.Secret) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient().String(), config.NewSecret(id.String())
}

// reads returns a configuration for reading a repository, with only the keys of c.
func reads(c Config) Config {
	c.SetKeys(c.Passphrase, c.Identity)
	return c
}

func pass(s string) Config { return Config{Passphrase: config.NewSecret(s)} }

func TestWhoCanOpen(t *testing.T) {
	recipient, secret := identity(t)
	another, other := identity(t)
	file := config.NewSecret("# created: today\n# public key: " + recipient + "\n" + secret.Reveal() + "\n")
	to, two, p := []string{recipient}, []string{recipient, another}, config.NewSecret("pp")
	for name, c := range map[string]struct {
		writer, reader Config
		want           error
	}{
		"passphrase":                       {pass("right"), reads(pass("right")), nil},
		"another passphrase":               {pass("right"), reads(pass("wrong")), stage.ErrKey},
		"identity of the recipient":        {Config{Recipients: to}, reads(Config{Identity: secret}), nil},
		"identity file":                    {Config{Recipients: to}, reads(Config{Identity: file}), nil},
		"another identity":                 {Config{Recipients: to}, reads(Config{Identity: other}), stage.ErrKey},
		"both, by passphrase":              {Config{Recipients: to, Passphrase: p}, reads(Config{Passphrase: p}), nil},
		"both, by identity":                {Config{Recipients: to, Passphrase: p}, reads(Config{Identity: secret}), nil},
		"passphrase where only recipients": {Config{Recipients: to}, reads(pass("pp")), stage.ErrKey},

		"writer, own key by passphrase":       {pass("pp"), pass("pp"), nil},
		"writer, own key by identity":         {Config{Recipients: to, Identity: secret}, Config{Recipients: to, Identity: file}, nil},
		"writer, wrong passphrase":            {pass("pp"), pass("wrong"), stage.ErrKey},
		"writer, wrong identity":              {Config{Recipients: to, Identity: secret}, Config{Recipients: to, Identity: other}, stage.ErrKey},
		"writer, a stranger's key":            {Config{Recipients: to}, Config{Recipients: to, Identity: secret}, stage.ErrOtherKey},
		"writer of no more than an identity":  {Config{Recipients: to}, Config{Identity: secret}, stage.ErrOtherKey},
		"writer, key for others":              {Config{Recipients: to}, Config{Recipients: to, Identity: other}, stage.ErrOtherKey},
		"writer, passphrase to recipients":    {Config{Recipients: to}, pass("pp"), stage.ErrOtherKey},
		"writer, recipients to a passphrase":  {pass("pp"), Config{Recipients: to, Identity: secret}, stage.ErrOtherKey},
		"writer, one recipient more":          {Config{Recipients: to, Passphrase: p}, Config{Recipients: two, Passphrase: p}, stage.ErrOtherKey},
		"writer, one recipient less":          {Config{Recipients: two, Passphrase: p}, Config{Recipients: to, Passphrase: p}, stage.ErrOtherKey},
		"writer, recipients in another order": {Config{Recipients: two, Passphrase: p}, Config{Recipients: []string{two[1], two[0]}, Passphrase: p}, nil},
		"writer, a passphrase taken away":     {Config{Recipients: to, Passphrase: p, Identity: secret}, Config{Recipients: to, Identity: secret}, stage.ErrOtherKey},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := keyed(t, c.writer), keyed(t, c.reader)
			header, err := w.Create(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			err = r.Open(t.Context(), header)
			if !errors.Is(err, c.want) {
				t.Fatalf("want %v, got %v", c.want, err)
			}
			if c.want != nil {
				return
			}
			sealed, err := w.Apply(t.Context(), nil, []byte("hello"), "here")
			if err != nil {
				t.Fatal(err)
			}
			plain, err := r.Invert(t.Context(), []byte("> "), sealed, "here", 5)
			if err != nil || string(plain) != "> hello" {
				t.Errorf("got %q, %v", plain, err)
			}
		})
	}
}

func TestCanOpen(t *testing.T) {
	recipient, secret := identity(t)
	if keyed(t, Config{Recipients: []string{recipient}}).CanOpen() {
		t.Error("recipients alone cannot open anything")
	}
	if !keyed(t, Config{Identity: secret}).CanOpen() || !keyed(t, pass("xx")).CanOpen() {
		t.Error("an identity or a passphrase can open")
	}
	if _, err := keyed(t, Config{Identity: secret}).Create(t.Context()); err == nil {
		t.Error("an identity alone cannot create a key")
	}
	_, other := identity(t)
	if _, err := keyed(t, Config{Recipients: []string{recipient}, Identity: other}).Create(t.Context()); err == nil {
		t.Error("created a key that its creator cannot open")
	}
}

// Every bit, the length and the name of a blob are authenticated.
func TestChangesAreDetected(t *testing.T) {
	k := keyed(t, pass("pp"))
	if _, err := k.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Apply(t.Context(), nil, []byte("content"), "name")
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, blob []byte, place string) {
		t.Helper()
		if out, err := k.Invert(t.Context(), nil, blob, place, 100); !errors.Is(err, stage.ErrCorrupt) || len(out) > 0 {
			t.Errorf("%s: %q, %v", what, out, err)
		}
	}
	for i := range len(sealed) * 8 {
		flipped := bytes.Clone(sealed)
		flipped[i/8] ^= 1 << (i % 8)
		refused(fmt.Sprintf("bit %d", i), flipped, "name")
	}
	for n := range sealed {
		refused(fmt.Sprintf("cut to %d", n), sealed[:n], "name")
	}
	refused("another place", sealed, "elsewhere")
	if _, err := k.Invert(t.Context(), nil, sealed, "name", 3); !errors.Is(err, stage.ErrCorrupt) {
		t.Errorf("returned more than the limit: %v", err)
	}
}

// A nonce used twice under one key reveals what is sealed with it.
func TestNoncesDiffer(t *testing.T) {
	k := keyed(t, pass("a long passphrase"))
	if _, err := k.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 1000 {
		sealed, err := k.Apply(t.Context(), nil, []byte("the same content"), "the/same/place")
		if err != nil {
			t.Fatal(err)
		}
		nonce := string(sealed[:chacha20poly1305.NonceSizeX])
		if seen[nonce] {
			t.Fatalf("nonce %x was used twice", nonce)
		}
		seen[nonce] = true
	}
}

func TestBeforeKey(t *testing.T) {
	k := keyed(t, pass("pp"))
	if _, err := k.Apply(t.Context(), nil, []byte("x"), "p"); err == nil {
		t.Error("sealed without a key")
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]Config{
		"nothing":        {},
		"no recipient":   {Recipients: []string{"age1nonsense"}},
		"no identity":    {Identity: config.NewSecret("AGE-SECRET-KEY-HUNTER2")},
		"empty identity": {Identity: config.NewSecret("# only a comment\n")},
	} {
		err := c.Validate()
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "HUNTER2") {
			t.Errorf("%s: the error contains the secret: %v", name, err)
		}
	}
}

func TestDefaultWork(t *testing.T) {
	c := pass("pp")
	k, err := c.keyring()
	if err != nil || k.work != 16 {
		t.Errorf("work %d, %v", k.work, err)
	}
}

// Whatever a header contains, opening it ends without a panic, and returns only a
// data key that was sealed for us.
func FuzzOpen(f *testing.F) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}
	k := &transform{keys: keyring{recipients: []age.Recipient{id.Recipient()}, identities: []age.Identity{id}, secret: id.String()}}
	header, err := k.Create(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	first := k.aead
	f.Add(header)
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, header []byte) {
		k.aead = nil
		if err := k.Open(t.Context(), header); err != nil {
			return
		}
		sealed := first.Seal(nil, make([]byte, 24), []byte("x"), nil)
		if _, err := k.aead.Open(nil, make([]byte, 24), sealed, nil); err != nil {
			t.Error("opened a key that was never sealed")
		}
	})
}

func BenchmarkApply(b *testing.B) {
	k := keyed(b, pass("pp"))
	if _, err := k.Create(b.Context()); err != nil {
		b.Fatal(err)
	}
	src := make([]byte, 1<<20)
	var dst []byte
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = k.Apply(b.Context(), dst[:0], src, "vault/1/place"); err != nil {
			b.Fatal(err)
		}
	}
}
