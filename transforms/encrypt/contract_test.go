package encrypt

import (
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/plugins/conformance"
)

func TestContract(t *testing.T) {
	recipient, secret := identity(t)
	_, stranger := identity(t)
	for name, c := range map[string][2]Config{
		"passphrase": {pass("right"), reads(pass("wrong"))},
		"identity":   {{Recipients: []string{recipient}, Identity: secret}, reads(Config{Identity: stranger})},
	} {
		t.Run(name, func(t *testing.T) {
			conformance.Bytes(t, conformance.BytesFixture{
				Open:     func(t testing.TB) stage.ByteTransform { return keyed(t, c[0]) },
				Friend:   func(t testing.TB) stage.ByteTransform { return keyed(t, pass("friend")) },
				Stranger: func(t testing.TB) stage.ByteTransform { return keyed(t, c[1]) },
			})
		})
	}
}
