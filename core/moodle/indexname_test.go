package moodle

import (
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/schema"
)

func index(name string, unique bool, columns ...string) schema.Index {
	x := plain(columns)
	x.Name, x.Unique = name, unique
	return x
}

// The names are those that XMLDB generated in a Moodle 4.5.
func TestIndexName(t *testing.T) {
	for _, c := range []struct {
		table   string
		unique  bool
		n       int
		columns string
		want    string
	}{
		{"context", false, 1, "path", "mdl_cont_pat_ix"},
		{"config_plugins", true, 1, "plugin name", "mdl_confplug_plunam_uix"},
		{"auth_oauth2_linked_login", false, 2, "userid", "mdl_authoautlinklogi_use2_ix"},
		{"tag_instance", true, 1, "component itemtype itemid contextid tiuserid tagid", "mdl_taginst_comiteiteconti_uix"},
		{"tag_instance", true, 12, "component itemtype itemid contextid tiuserid tagid", "mdl_taginst_comiteitecon12_uix"},
	} {
		if got := IndexName("mdl_", c.table, index("", c.unique, strings.Fields(c.columns)...), c.n); got != c.want || len(got) > MaxIndexName {
			t.Errorf("%s (%s): %s, want %s", c.table, c.columns, got, c.want)
		}
	}
	if got := KeyName("mdl_", "auth_lti_linked_login", []string{"id"}, 1); got != "mdl_authltilinklogi_id_pk" {
		t.Errorf("primary key %s", got)
	}
}

func taker(taken ...string) func(string) bool {
	return func(name string) bool {
		if slices.Contains(taken, name) {
			return false
		}
		taken = append(taken, name)
		return true
	}
}

// An index from another engine keeps the counter that Moodle gave it, under the new
// prefix; other names are generated.
func TestIndexNamesFromAnotherEngine(t *testing.T) {
	table := schema.Table{Name: "assign", Dialect: "postgres", Indexes: []schema.Index{
		index("by_hand", false, "course"),
		index("mdl_assi_cou4_ix", false, "course", "id"), // not a name of these columns
		index("mdl_assi_cou3_ix", false, "course"),
		{Name: "like", Columns: []schema.IndexColumn{{Name: "course", Operators: "varchar_pattern_ops"}}},
		index("mdl_assi_nam_uix", true, "name"),
	}}
	got := IndexNames(&table, "mdl_", "m_", taker("m_assi_nam_uix", "m_assi_cou_ix"))
	want := []string{"m_assi_cou2_ix", "m_assi_couid_ix", "m_assi_cou3_ix", "m_assi_cou2_ix_pattern", "m_assi_nam2_uix"}
	if !slices.Equal(got, want) {
		t.Errorf("names\n%q, want\n%q", got, want)
	}
}

// The search indexes have their own names.
func TestIndexNamesOfSearch(t *testing.T) {
	table := schema.Table{Name: "search_simpledb_index", Dialect: "postgres", Indexes: engineIndexes[0].indexes["postgres"]}
	for name, kind := range engineIndexes[0].columns {
		table.Columns = append(table.Columns, schema.Column{Name: name, Type: schema.Type{Kind: kind}})
	}
	got := IndexNames(&table, "", "m_", taker())
	if want := []string{"m_search_simpledb_title", "m_search_simpledb_content", "m_search_simpledb_description1", "m_search_simpledb_description2"}; !slices.Equal(got, want) {
		t.Errorf("names %q", got)
	}
}

// Names are bounded, distinct and end on a character, whatever the prefix.
func TestIndexNamesFit(t *testing.T) {
	table := schema.Table{Name: "🎓🎓🎓🎓_🎓🎓🎓🎓_🎓🎓🎓🎓"}
	for range 12 {
		table.Indexes = append(table.Indexes, index("x", false, "🎓🎓🎓", "🎓🎓🎓"))
	}
	names := IndexNames(&table, "", strings.Repeat("p", 40)+"_", taker())
	slices.Sort(names)
	if n := len(slices.Compact(slices.Clone(names))); n != 12 {
		t.Errorf("%d names: %q", n, names)
	}
	for _, name := range names {
		if len(name) > MaxIndexName {
			t.Errorf("%s has %d bytes", name, len(name))
		}
	}
}
