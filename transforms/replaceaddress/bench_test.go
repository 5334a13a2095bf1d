package replaceaddress_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
	"github.com/lmsvault/vault/transforms/replaceaddress"
)

// BenchmarkRows measures the rows of a log, of which some have the address.
func BenchmarkRows(b *testing.B) {
	table := schema.Table{Name: "log", PrimaryKey: []string{"id"}, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}, {Name: "other", Type: schema.Type{Kind: schema.Text}}, {Name: "text", Type: schema.Type{Kind: schema.Text}},
	}}
	for _, every := range []int{0, 1000, 10, 1} {
		b.Run(fmt.Sprintf("one row in %d", every), func(b *testing.B) {
			x, err := replaceaddress.Stage().NewRecord(b.Context(), &replaceaddress.Config{From: "http://moodle.example.org/lms", To: "https://learn.example.org"}, stage.Env{})
			if err != nil {
				b.Fatal(err)
			}
			m, err := x.Table(b.Context(), table, "")
			if err != nil {
				b.Fatal(err)
			}
			var data strings.Builder
			rows := 0
			for ; data.Len() < 1<<20; rows++ {
				text := strings.Repeat("<p>A course page about moodle and other things.</p>", 5)
				other := base64.StdEncoding.EncodeToString([]byte(`a:1:{s:4:"text";s:9:"some text";}`))
				if every > 0 && rows%every == 0 {
					text += ` <a href="http://moodle.example.org/lms/course/view.php?id=5">`
					other = `s:31:"http://moodle.example.org/lms/x";`
				}
				fmt.Fprintf(&data, "%d\t%s\t%s\n", rows, other, text)
			}
			c := stage.Chunk{Data: []byte(data.String()), Rows: rows}
			dst := make([]byte, 0, 2*len(c.Data))
			b.SetBytes(int64(len(c.Data)))
			for b.Loop() {
				if _, _, err := x.Rows(b.Context(), m, dst, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
