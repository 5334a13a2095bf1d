package refused

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/core/stage"
)

// A rejected row can be found in the source site: by its key, or else by its first
// column, with the value as a person would write it.
func TestRejectedRowIsIdentified(t *testing.T) {
	users := &schema.Table{Name: "user", Columns: []schema.Column{{Name: "id"}, {Name: "name"}, {Name: "rank"}}}
	keyed := *users
	keyed.PrimaryKey = []string{"rank", "name"}
	long := strings.Repeat("x", 200)
	for _, c := range []struct {
		table               *schema.Table
		row, column, expect string
	}{
		{users, "5\ta\\tb\t1", "", "id=5"},
		{users, "5\ta\t1", "name", "id=5 column name"},
		{&keyed, "5\ta\\tb\t1", "", "rank=1 name=a\tb"},
		{&keyed, "5\t" + long + "\t1", "id", "rank=1 name=" + long[:100] + " column id"},
		{users, "", "", "id="},
	} {
		row := []byte(c.row)
		l := Loss(c.table, row, c.column, "too long")
		clear(row) // belongs to the caller
		if l.Where != c.expect || l.Kind != stage.LossRow || l.Path != "db/user" || l.Reason != "too long" || string(l.Row) != c.row {
			t.Errorf("%+v, expected at %q", l, c.expect)
		}
	}
}

// A unit that keeps losing rows ends the run; a single large row does not.
func TestRejectedRowsPerUnitAreLimited(t *testing.T) {
	large := stage.Loss{Row: bytes.Repeat([]byte("x"), mostBytes+1)}
	var r Rows
	if err := r.Add(large); err != nil {
		t.Error(err)
	}
	if err := r.Add(stage.Loss{Where: "id=5", Reason: "too long"}); err == nil || !strings.Contains(err.Error(), "id=5: too long") {
		t.Errorf("%v", err)
	}
	if r.Count() != 2 || len(r.Losses()) != 2 {
		t.Errorf("%d rows", r.Count())
	}
	r = Rows{}
	if err := r.Add(make([]stage.Loss, most)...); err != nil {
		t.Error(err)
	}
	if err := r.Add(stage.Loss{}); err == nil {
		t.Error("the number of rows is not limited")
	}
}
