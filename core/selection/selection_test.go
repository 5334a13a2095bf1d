package selection

import (
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/failure"
	"github.com/lmsvault/vault/core/schema"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{{"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*", "", true}, {"*b", "ab", true}, {"a*a", "a", false}, {"a*b*c", "a_b_c", true}, {"a*b*c", "acb", false}, {"a**", "a", true}, {"_", "a", false}} {
		if got := Matches(c.pattern, c.name); got != c.want {
			t.Errorf("%q and %q: %v", c.pattern, c.name, got)
		}
	}
}

func TestExcludedDirectoryExcludesContents(t *testing.T) {
	s := Selection{ExcludeFiles: []string{"dataroot/repo*/cache", "filedir/\xff"}}
	for path, want := range map[string]bool{
		"dataroot/repository/cache": true, "dataroot/repository/cache/a/b": true, "dataroot/repository": false,
		"dataroot/repository/cachefile": false, "dataroot/a/repository/cache": false, "filedir/\xff": true, "filedir/x": false,
	} {
		if _, got := s.ExcludesPath(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}

func table() schema.Table {
	return schema.Table{Name: "t", Columns: []schema.Column{
		{Name: "id", Type: schema.Type{Kind: schema.Int, Size: 8}}, {Name: "name", Type: schema.Type{Kind: schema.Char}}, {Name: "x", Type: schema.Type{Kind: schema.Float, Size: 8}},
	}}
}

func TestKeep(t *testing.T) {
	is := func(column string, values ...string) Condition { return Condition{Column: column, In: values} }
	null, mod := Condition{Column: "name", Null: true}, Condition{Column: "name", Prefix: "mod_"}
	for name, c := range map[string]struct {
		rule Rows
		want string // the ids
	}{
		"equal":             {Rows{Only: &Condition{Column: "id", In: []string{"2"}}}, "2"},
		"in":                {Rows{Only: &Condition{Column: "name", In: []string{"a\tb", `\N`, ""}}}, "357"},
		"prefix":            {Rows{Only: &mod}, "2"},
		"null":              {Rows{Only: &null}, "4"},
		"except keeps NULL": {Rows{Except: &mod}, "134567"},
		"any":               {Rows{Only: &Condition{Any: []Condition{null, mod}}}, "24"},
		"all":               {Rows{Only: &Condition{All: []Condition{mod, is("id", "2", "3")}}}, "2"},
		"except all":        {Rows{Except: &Condition{All: []Condition{null, is("id", "4")}}}, "123567"},
		"nested":            {Rows{Only: &Condition{Any: []Condition{{All: []Condition{null, is("id", "5")}}, is("id", "6")}}}, "6"},
	} {
		t.Run(name, func(t *testing.T) {
			c.rule.Table = "*"
			if err := c.rule.Validate(); err != nil {
				t.Fatal(err)
			}
			f, err := (&Selection{Rows: []Rows{c.rule}}).Filter(table())
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, row := range []string{"1\tMOD_x\t1", "2\tmod_x\t1", "3\ta\\tb\t1", "4\t\\N\t1", "5\t\\\\N\t1", "6\tab \t1", "7\t\t1"} {
				keep, err := f.Keep([]byte(row))
				if err != nil {
					t.Fatal(err)
				}
				if keep {
					got += row[:1]
				}
			}
			if got != c.want {
				t.Errorf("rows %s, want %s", got, c.want)
			}
		})
	}
}

func TestInvalidConditionsAreRefused(t *testing.T) {
	for want, c := range map[string]Condition{
		`no column "y"`:        {Column: "y", Null: true},
		"is an integer":        {Column: "id", In: []string{"1 OR 1=1"}},
		"column id is of type": {Column: "id", Prefix: "1"},
		"column x is of type":  {Column: "x", In: []string{"1"}},
	} {
		_, err := (&Selection{Rows: []Rows{{Table: "t", Only: &c}}}).Filter(table())
		if failure.Of(err) != failure.Refused || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, c := range []Condition{{}, {Column: "a"}, {Column: "a", In: []string{"1"}, Null: true}, {Column: "a", All: []Condition{{Column: "b", Null: true}}}, {Any: []Condition{{}}}, {Column: "a", In: []string{"\x00"}}, {Column: "a", Prefix: "\xff"}} {
		if (&Rows{Table: "t", Only: &c}).Validate() == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	for _, pattern := range []string{"/etc", "dataroot", "dataroot/", "dataroot/../x", "dataroot/a/../b", "db/x", "dataroot/a/", "filedir/\n"} {
		if CheckFiles(pattern) == nil {
			t.Errorf("files %q is accepted", pattern)
		}
	}
}
