package main

import (
	"testing"

	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/plugins/sdk"
)

// The conformance kit tests everything that Vault relies on. vault plugin test runs the
// same checks with the finished program, and kills it too.
func TestContract(t *testing.T) {
	conformance.Bytes(t, conformance.BytesFixture{Open: func(t testing.TB) sdk.ByteTransform {
		b, err := open(t.Context(), &Config{Level: 1}, sdk.Env{})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}})
}
