package mysql

import (
	"cmp"
	"testing"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// 4-byte floats keep the exact value of their shortest text, even if that text is out
// of range as a double or rounds to another float.
func TestFloatsAreExact(t *testing.T) {
	want := [][2]string{ // shortest text, the value as a double
		{"3.4028235e+38", "3.4028234663852886e38"}, {"-3.4028235e+38", "-3.4028234663852886e38"},
		{"7.038531e-26", "7.038530691851209e-26"}, {"1e-45", "1.401298464324817e-45"}, {"0.1", "0.10000000149011612"}, {`\N`, ""},
	}
	for _, engine := range engines {
		for _, load := range []string{loadLocal, loadInsert} {
			t.Run(engine.name+" "+load, func(t *testing.T) {
				t.Parallel()
				db := engine.make(t)
				p := users()
				p.Tables[0].Schema.Columns[2] = schema.Column{Name: "rank", Native: "float", Nullable: true, Type: schema.Type{Kind: schema.Float, Size: 4}}
				var lines []string
				for k, w := range want {
					id := string(rune('1' + k))
					lines = append(lines, id+"\tu"+id+"\t"+w[0]+"\ta\t\\N")
				}
				c := write(t, p, Config{DSN: config.NewSecret(db.DSN), Prefix: "mdl_", Load: load}, func(_ string, emit func([]byte, int) error) (sum rows.Sum) {
					for _, line := range lines { // one by one: LOAD DATA abandons a chunk with a rejected row
						sum.Add([]byte(line))
						if err := emit([]byte(line+"\n"), 1); err != nil {
							t.Fatal(err)
						}
					}
					return sum
				})
				if len(c.refused) > 0 {
					t.Errorf("refused: %s", asJSON(t, c.refused))
				}
				for k, w := range want {
					where := " FROM mdl_user_info WHERE id = " + string(rune('1'+k))
					if got := one(t, db, "SELECT IF(`rank` IS NULL, '', IF(`rank` = "+cmp.Or(w[1], "0")+", 'same', CONCAT(`rank` * 1e0)))"+where); w[1] != "" && got != "same" || w[1] == "" && got != "" {
						t.Errorf("%s is held as %s", w[0], got)
					}
				}
			})
		}
	}
}
