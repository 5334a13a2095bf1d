package clone

import (
	"slices"
	"strings"
)

// Enrolment methods and log stores that use other systems, and methods that take money.
var (
	external       = []string{"database", "ldap", "flatfile", "imsenterprise", "lti", "mnet", "paypal", "fee", "authorize", "stripepayment"}
	paid           = []string{"paypal", "fee", "authorize", "stripepayment"}
	externalStores = []string{"logstore_database", "logstore_xapi", "logstore_caliper", "logstore_lanalytics"}
)

// States of LTI tools and tool proxies.
const (
	toolRejected  = "3"
	proxyRejected = "4"
)

func ltiRules() []rule {
	key := func(plugin, name string) rule {
		return update("config_plugins", []assignment{empty("value")}, is("plugin", plugin), is("name", name))
	}
	return []rule{
		update("lti_types", []assignment{to("state", toolRejected)}),
		update("lti_types_config", []assignment{empty("value")}, is("name", "password", "resourcekey")),
		update("lti", []assignment{empty("password"), empty("resourcekey")}),
		update("lti_tool_proxies", []assignment{to("state", proxyRejected), empty("secret")}),
		drop("lti_access_tokens"),
		update("enrol_lti_app_registration", []assignment{to("status", "0")}),
		update("enrol_lti_lti2_consumer", []assignment{to("enabled", "0"), empty("secret")}),
		update("enrol_lti_tools", []assignment{empty("secret")}),
		update("enrol_lti_users", []assignment{empty("consumersecret")}),
		drop("enrol_lti_lti2_share_key"),
		update("enrol", []assignment{to("status", "1")}, is("enrol", "lti")),
		key("mod_lti", "privatekey"), key("enrol_lti", "lti_13_privatekey"),
	}
}

func repositoryRules() []rule {
	return []rule{
		update("repository_instances", []assignment{empty("password")}),
		update("repository_instance_config", []assignment{empty("value")}, secretName("name")),
		update("portfolio_instance_config", []assignment{empty("value")}, secretName("name")),
		update("portfolio_instance_user", []assignment{empty("value")}, secretName("name")),
		update("config_plugins", []assignment{to("value", "0")}, is("plugin", "tool_objectfs"), is("name", "enabletasks", "deletelocal", "deleteexternal")),
	}
}

func secretRules() []rule {
	return []rule{
		changeSetting("smtphosts", none), changeSetting("smtpuser", none),
		update("config", []assignment{emptySecret("value")}, secretName("name")),
		update("config_plugins", []assignment{emptySecret("value")}, secretName("name"), isNot("plugin", "mod_lti", "enrol_lti")),
		update("config_log", []assignment{emptySecret("value"), emptySecret("oldvalue")}, secretName("name")),
		update("ai_providers", []assignment{to("enabled", "0"), by("config", noObject)}),
	}
}

func zero(string) string     { return "0" }
func none(string) string     { return "" }
func noObject(string) string { return "{}" }

// simpleSearch is the search engine that keeps its index in the site's own database.
func simpleSearch(text string) string {
	if text == "" {
		return text
	}
	return "simpledb"
}

// without removes names from a list with commas.
func without(names []string) func(text string) string {
	return func(text string) string {
		kept := slices.DeleteFunc(strings.Split(text, ","), func(name string) bool { return slices.Contains(names, strings.TrimSpace(name)) })
		return strings.Join(kept, ",")
	}
}

func list(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }
