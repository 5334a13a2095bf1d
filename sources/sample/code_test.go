package sample

import (
	"reflect"
	"testing"

	"github.com/lmsvault/vault/core/moodle/component"
	"github.com/lmsvault/vault/core/moodle/xmldb"
	"github.com/lmsvault/vault/core/schema"
)

// The code that is written for the sample site defines the site's tables, and has the
// versions that its settings name.
func TestTheCodeFitsTheSite(t *testing.T) {
	dir := t.TempDir()
	if err := (Code{Dir: dir, Address: Address, Database: "/d/site.sqlite", Dataroot: "/d/data", Prefix: "mdl_"}).Write(); err != nil {
		t.Fatal(err)
	}
	code, err := component.Load(t.Context(), dir, component.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(code.Problems) > 0 {
		t.Error(code.Problems)
	}
	versions := map[string]string{}
	for _, p := range installed {
		versions[p.component] = pluginVersion
	}
	if states := code.Compare(component.Installed(version, versions)); len(states) > 0 {
		t.Errorf("the code differs from the database: %+v", states)
	}
	for _, p := range code.Plugins {
		if !code.StandardKnown() || p.Standard != true {
			t.Errorf("%s is not a standard plugin", p.Component)
		}
	}
	definitions, problems, err := code.Definitions(t.Context())
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	defined := map[string]schema.Table{}
	for _, d := range definitions {
		for _, table := range d.Tables {
			defined[table.Name] = table.On(xmldb.MySQL, "mdl_", func(string) bool { return true })
		}
	}
	for _, table := range append(moodle(), fileTable()) {
		got, ok := defined[table.Name]
		if !ok || len(got.Columns) != len(table.Columns) {
			t.Errorf("table %s is defined as %+v", table.Name, got)
			continue
		}
		for i, want := range table.Columns {
			c := got.Columns[i]
			if c.Name != want.Name || !reflect.DeepEqual(c.Type, want.Type) || c.Nullable != want.Nullable {
				t.Errorf("column %s.%s is defined as %+v, and is %+v", table.Name, want.Name, c, want)
			}
		}
		if len(got.Indexes) != len(table.Indexes) {
			t.Errorf("table %s has %d indexes defined, and %d", table.Name, len(got.Indexes), len(table.Indexes))
		}
	}
}
