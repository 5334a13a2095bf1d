package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/config"
)

func TestSecretNeverPrints(t *testing.T) {
	holder := struct {
		S config.Secret
		P *config.Secret
		M map[string]config.Secret
	}{S: config.NewSecret("hunter2")}
	holder.P, holder.M = &holder.S, map[string]config.Secret{"k": holder.S}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", holder.S, holder, holder.M)
	}
	if err := json.NewEncoder(&out).Encode(holder); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", holder.S, "all", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", holder.S, "all", holder)
	if s := out.String(); strings.Contains(s, "hunter2") || strings.Contains(s, "68756e74657232") {
		t.Errorf("printed: %s", s)
	}
	if holder.S.Reveal() != "hunter2" {
		t.Error("Reveal does not return the value")
	}
}

func TestSizeRoundTrip(t *testing.T) {
	for _, s := range []config.Size{0, 1, 1023, 1 << 10, 3 << 20, 256 << 20, 5 << 30, 7 << 40, 1<<40 + 1} {
		if got, err := config.ParseSize(s.String()); err != nil || got != s {
			t.Errorf("%s is read as %d: %v", s, got, err)
		}
	}
	for _, bad := range []string{"", "MiB", "-1", "1MB", "1.5GiB", "99999999TiB", "0x10", "1 000"} {
		if n, err := config.ParseSize(bad); err == nil {
			t.Errorf("%q is read as %d", bad, n)
		}
	}
}
