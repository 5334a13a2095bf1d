package sitesettings_test

import (
	"testing"

	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/internal/isolated"
	"github.com/lmsvault/vault/plugins/conformance"
	"github.com/lmsvault/vault/transforms/sitesettings"
)

func TestContract(t *testing.T) {
	st := isolated.Stage(t, sitesettings.Stage())
	conformance.Record(t, conformance.RecordFixture{
		Open: func(t testing.TB) stage.RecordTransform {
			x, err := st.NewRecord(t.Context(), &sitesettings.Config{Overrides: true}, stage.Env{})
			if err != nil {
				t.Fatal(err)
			}
			return x
		},
		Tables: []conformance.TableRows{
			{Schema: table("config", true, "name", "value"), Rows: []byte("1\tthemerev\t9999999999\n2\tother\t\\N\n")},
			{Schema: table("course", true, "cacherev"), Rows: []byte("1\t5\n")},
			{Schema: table("user", true, "name"), Rows: []byte("1\tx\n")},
		},
		Targets: []string{"", "postgres"},
	})
}
