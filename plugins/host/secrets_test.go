package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/host"
	"github.com/lmsvault/vault/plugins/sdk"
)

// leak is a storage that reveals its secret in every possible way.
type leak struct {
	Token sdk.Secret `key:"token" help:"a secret"`
	Mode  string     `key:"mode" help:"how to reveal it"`
}

func leaky() sdk.Stage {
	return sdk.StorageStage("leaky", "Reveals its secret.", "", func(_ context.Context, c *leak, env sdk.Env) (sdk.Storage, error) {
		switch token := c.Token.Reveal(); c.Mode {
		case "panic":
			panic("a bug beside " + token)
		case "death":
			env.Log.Error("no way with "+token, "token", token)
			if _, err := fmt.Fprintln(os.Stderr, "plainly", token); err != nil {
				return nil, err
			}
			os.Exit(3)
		default:
			return nil, fmt.Errorf("login with %s failed: %w", token, stage.ErrKey)
		}
		return nil, nil
	})
}

func TestSecretsInPluginOutputAreHidden(t *testing.T) {
	const token = "s3cr3t \"token\"\nof two lines"
	for _, mode := range []string{"error", "panic", "death"} {
		var log bytes.Buffer
		h := host.New(host.Config{
			Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Dir: t.TempDir(), Version: "1.0.0", Stall: time.Minute,
		})
		_, err := h.Isolate(leaky(), self(t)).NewStorage(t.Context(), &leak{Token: config.NewSecret(token), Mode: mode}, stage.Env{})
		if err == nil {
			t.Errorf("%s: no error", mode)
			continue
		}
		if mode == "error" && (!errors.Is(err, stage.ErrKey) || !strings.Contains(err.Error(), "login with *** failed")) {
			t.Errorf("the error is %v", err)
		}
		if closing := h.Close(); closing != nil {
			t.Error(closing)
		}
		for what, text := range map[string]string{"error": err.Error(), "log": log.String()} {
			for _, secret := range []string{"s3cr3t", "of two lines"} {
				if strings.Contains(text, secret) {
					t.Errorf("%s: the %s contains the secret: %s", mode, what, text)
				}
			}
		}
	}
}
