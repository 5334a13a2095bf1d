package component

import (
	"slices"
	"strings"
	"testing"

	"github.com/lmsvault/vault/core/selection"
)

// described formats rows as TABLE: CONDITION, with a lookup in braces.
func described(all []SharedRows) []string {
	var lines []string
	for _, r := range all {
		line := r.Table + ":"
		if r.Where != nil {
			line += " " + r.Where.String()
		}
		if l := r.Lookup; l != nil {
			line += " {" + l.Column + " of " + l.From + "." + l.Value + " " + l.Like + " where " + l.Where.String() + "}"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestRowsOfAPlugin(t *testing.T) {
	want := strings.Split(`capabilities: component is "mod_forum"
config: name begins with "mod_forum_"
config_plugins: plugin is "mod_forum" or "forum"
config_plugins: plugin is "message" {name of config_plugins.name *_provider_mod_forum_* where plugin is "message"}
event: component is "mod_forum"
external_functions: component is "mod_forum"
external_services: component is "mod_forum"
external_services_functions: {functionname of external_functions.name  where component is "mod_forum"}
external_services_users: {externalserviceid of external_services.id  where component is "mod_forum"}
external_tokens: {externalserviceid of external_services.id  where component is "mod_forum"}
files: component is "mod_forum"
log_display: component is "mod_forum"
message_providers: component is "mod_forum"
messageinbound_datakeys: {handler of messageinbound_handlers.id  where component is "mod_forum"}
messageinbound_handlers: component is "mod_forum"
role_capabilities: {capability of capabilities.name  where component is "mod_forum"}
tag_area: component is "mod_forum"
tag_coll: component is "mod_forum"
tag_instance: component is "mod_forum"
task_adhoc: component is "mod_forum"
task_scheduled: component is "mod_forum"
user_preferences: name begins with "message_provider_mod_forum_"`, "\n")
	if got := described(Shared("mod_forum")); !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRowsThatATargetKeeps(t *testing.T) {
	want := strings.Split(`capabilities: component is "tool_x"
config: name begins with "tool_x_"
config_plugins: plugin is "tool_x"
config_plugins: plugin is "message" {name of config_plugins.name *_provider_tool_x_* where plugin is "message"}
external_functions: component is "tool_x"
external_services: component is "tool_x"
external_services_functions: {functionname of external_functions.name  where component is "tool_x"}
files: component is "tool_x" and referencefileid is null
log_display: component is "tool_x"
message_providers: component is "tool_x"
messageinbound_handlers: component is "tool_x"
tag_area: component is "tool_x"
tag_coll: component is "tool_x"
task_adhoc: component is "tool_x" and userid is null
task_scheduled: component is "tool_x"`, "\n")
	if got := described(Preserved("tool_x")); !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The conditions of rows are valid rules of a selection.
func TestRowsAsSelection(t *testing.T) {
	for _, r := range Shared("mod_forum") {
		c, ok := r.Condition([]string{"email_provider_mod_forum_posts_locked", "7", "message_provider_mod_forum_posts_enabled", "7"})
		if !ok {
			t.Errorf("%s: no rows", r.Table)
		}
		rule := selection.Rows{Table: r.Table, Except: &c}
		if err := rule.Validate(); err != nil {
			t.Errorf("%s: %v", r.Table, err)
		}
		if r.Table == "config_plugins" && r.Lookup != nil {
			const want = `plugin is "message" and name is "email_provider_mod_forum_posts_locked" or "message_provider_mod_forum_posts_enabled"`
			if c.String() != want {
				t.Errorf("condition %s", c.String())
			}
		}
		if c, ok := r.Condition(nil); ok != (r.Lookup == nil) {
			t.Errorf("%s: without values %s", r.Table, c.String())
		}
	}
	if Dangling("mod_forum") == "" || Dangling("tool_x") != "" {
		t.Error("only types with references leave something dangling")
	}
}
