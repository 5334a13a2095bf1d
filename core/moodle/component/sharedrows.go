package component

import (
	"slices"
	"strings"

	"github.com/lmsvault/vault/core/selection"
)

// SharedRows describes the rows that a plugin owns in a table of core. The table may
// be missing in old sites.
type SharedRows struct {
	Table string // without the site's prefix
	// Where is met by the rows. If Lookup is set too, both apply.
	Where *selection.Condition
	// Lookup is a query that must be answered before the rows are known; nil for none.
	Lookup *Lookup
}

// Lookup selects rows by the values of another column: those whose Column is among
// the values of Value in the rows of From that meet Where.
type Lookup struct {
	Column string
	From   string // a table, without the site's prefix
	Value  string // a column of From
	Where  selection.Condition
	Like   string // a pattern of selection.Matches that values must match; "" for all
}

// Condition returns the condition that the rows meet. values are those that the
// Lookup found. ok is false if there are no rows.
func (r SharedRows) Condition(values []string) (c selection.Condition, ok bool) {
	if r.Lookup == nil {
		return *r.Where, true
	}
	values = slices.Clone(values)
	if r.Lookup.Like != "" {
		values = slices.DeleteFunc(values, func(v string) bool { return !selection.Matches(r.Lookup.Like, v) })
	}
	if len(values) == 0 {
		return selection.Condition{}, false
	}
	slices.Sort(values)
	c = selection.Condition{Column: r.Lookup.Column, In: slices.Compact(values)}
	if r.Where != nil {
		c = selection.Condition{All: []selection.Condition{*r.Where, c}}
	}
	return c, true
}

// withComponent lists the tables with a column component.
var withComponent = []string{
	"external_services", "external_functions", "event", "task_adhoc", "task_scheduled", "messageinbound_handlers", "log_display",
	"tag_area", "tag_coll", "tag_instance", "message_providers", "capabilities", "files",
}

// dependent lists tables whose rows belong to a row of one of those.
var dependent = []struct{ table, column, from, value string }{
	{"messageinbound_datakeys", "handler", "messageinbound_handlers", "id"},
	{"external_tokens", "externalserviceid", "external_services", "id"},
	{"external_services_users", "externalserviceid", "external_services", "id"},
	{"external_services_functions", "functionname", "external_functions", "name"},
	{"role_capabilities", "capability", "capabilities", "name"},
}

// notPreserved lists the tables whose rows are not preserved in a restore.
var notPreserved = []string{
	"event", "tag_instance", "user_preferences", "role_capabilities", "external_tokens", "external_services_users", "messageinbound_datakeys",
}

// Shared lists the rows of a plugin in tables of core, by table: what is left out of a
// backup together with the plugin's own tables.
func Shared(component string) []SharedRows {
	is := func(column string, values ...string) selection.Condition {
		return selection.Condition{Column: column, In: values}
	}
	rows := func(table string, where selection.Condition) SharedRows {
		return SharedRows{Table: table, Where: &where}
	}
	var all []SharedRows
	for _, table := range withComponent {
		all = append(all, rows(table, is("component", component)))
	}
	for _, d := range dependent {
		all = append(all, SharedRows{Table: d.table, Lookup: &Lookup{
			Column: d.column, From: d.from, Value: d.value, Where: is("component", component),
		}})
	}
	settings := []string{component}
	if name, ok := strings.CutPrefix(component, "mod_"); ok {
		settings = append(settings, name) // modules keep their settings under the short name
	}
	message := is("plugin", "message")
	all = append(all,
		rows("config_plugins", is("plugin", settings...)),
		SharedRows{Table: "config_plugins", Where: &message, Lookup: &Lookup{
			Column: "name", From: "config_plugins", Value: "name", Where: message, Like: "*_provider_" + component + "_*",
		}},
		rows("config", selection.Condition{Column: "name", Prefix: component + "_"}),
		rows("user_preferences", selection.Condition{Column: "name", Prefix: "message_provider_" + component + "_"}),
	)
	slices.SortStableFunc(all, func(a, b SharedRows) int { return strings.Compare(a.Table, b.Table) })
	return all
}

// Preserved lists the rows that a restore preserves in the target together with a
// plugin's own tables. In rows of files, userid must be replaced.
func Preserved(component string) []SharedRows {
	all := slices.DeleteFunc(Shared(component), func(r SharedRows) bool { return slices.Contains(notPreserved, r.Table) })
	only := map[string]string{"task_adhoc": "userid", "files": "referencefileid"}
	for i := range all {
		if column := only[all[i].Table]; column != "" {
			all[i].Where = &selection.Condition{All: []selection.Condition{*all[i].Where, {Column: column, Null: true}}}
		}
	}
	return all
}

// dangling lists, by plugin type, what else refers to a plugin.
var dangling = map[string]string{
	"logstore":    "the list of log stores in use",
	"antivirus":   "the list of scanners in use",
	"auth":        "users that log in by it",
	"block":       "its instances on pages",
	"contenttype": "its contents in content banks",
	"customfield": "custom fields of the type and their values",
	"enrol":       "its instances in courses and the users whom they enrol",
	"filter":      "its states in contexts, and texts written for it",
	"format":      "courses in the format",
	"gradingform": "grading areas that use the form",
	"message":     "the preferences of users for the output",
	"mod":         "its activities in courses, with grades and completion",
	"portfolio":   "its instances and transfers",
	"qbehaviour":  "attempts at questions with the behaviour",
	"qtype":       "questions of the type and attempts at them",
	"repository":  "its instances and files that refer to them",
	"theme":       "courses, categories and users that have chosen it",
}

// Dangling says what in a backup without the plugin still refers to it; "" for nothing.
func Dangling(component string) string {
	kind, _, _ := strings.Cut(component, "_")
	return dangling[kind]
}
