// Package clonetest has rows of a site that the measures of package clone concern, for
// tests, with what becomes of each.
package clonetest

// Row is a row before and after the measure that concerns it.
type Row struct {
	Measure string // "" for none
	Table   string
	// Before and After are values by column; After nil means that the row is dropped, and
	// Before nil that it was missing. Columns that are missing in After stay.
	Before, After map[string]string
}

// Values by column.
type v = map[string]string

// Rows returns the rows, for the default settings with AdminPassword, BannerText and
// NamePrefix as given here. Hash stands for any hash of the password.
func Rows() []Row {
	core := func(measure, name, before, after string) Row {
		return Row{measure, "config", v{"name": name, "value": before}, v{"value": after}}
	}
	plugin := func(measure, plugin, name, before, after string) Row {
		return Row{measure, "config_plugins", v{"plugin": plugin, "name": name, "value": before}, v{"value": after}}
	}
	missing := func(measure, name, value string) Row {
		return Row{measure, "config", nil, v{"name": name, "value": value}}
	}
	gone := func(measure, table string) Row { return Row{measure, table, v{"timecreated": "1"}, nil} }
	row := func(measure, table string, before, after v) Row { return Row{measure, table, before, after} }
	return []Row{
		missing("mail", "noemailever", "1"), core("mail", "divertallemailsto", "", "nobody@example.invalid"), core("mail", "divertallemailsexcept", ".*@example.org", ""),
		core("mail", "messageinbound_enabled", "1", "0"),
		core("cron", "cron_enabled", "1", "0"), plugin("cron", "backup", "backup_auto_active", "1", "0"),
		gone("tasks", "task_adhoc"), gone("sessions", "sessions"), gone("sessions", "user_password_resets"),
		core("webservices", "enablewebservices", "1", "0"), gone("webservices", "external_tokens"),
		row("lti", "lti_types", v{"state": "1"}, v{"state": "3"}), row("lti", "lti_types_config", v{"name": "password", "value": "s3cret"}, v{"value": ""}),
		row("", "lti_types_config", v{"name": "sendname", "value": "1"}, v{}), row("lti", "lti", v{"password": "s3cret", "resourcekey": "key"}, v{"password": "", "resourcekey": ""}),
		row("lti", "lti_tool_proxies", v{"state": "3", "secret": "s3cret"}, v{"state": "4", "secret": ""}), gone("lti", "lti_access_tokens"),
		row("lti", "enrol_lti_app_registration", v{"status": "1"}, v{"status": "0"}),
		row("lti", "enrol_lti_lti2_consumer", v{"enabled": "1", "secret": "s3cret"}, v{"enabled": "0", "secret": ""}),
		row("lti", "enrol_lti_tools", v{"secret": "s3cret"}, v{"secret": ""}), row("lti", "enrol_lti_users", v{"consumersecret": "s3cret"}, v{"consumersecret": ""}),
		gone("lti", "enrol_lti_lti2_share_key"), row("lti", "enrol", v{"enrol": "lti", "status": "0"}, v{"status": "1"}),
		plugin("lti", "mod_lti", "privatekey", "s3cret", ""), plugin("lti", "enrol_lti", "lti_13_privatekey", "s3cret", ""),
		row("oauth2", "oauth2_issuer", v{"enabled": "1", "clientsecret": "s3cret"}, v{"enabled": "0", "clientsecret": ""}),
		gone("oauth2", "oauth2_system_account"), gone("oauth2", "oauth2_refresh_token"), gone("oauth2", "oauth2_access_token"),
		core("mobile", "enablemobilewebservice", "1", "0"), row("mobile", "external_services", v{"shortname": "moodle_mobile_app", "enabled": "1"}, v{"enabled": "0"}),
		row("", "external_services", v{"shortname": "own", "enabled": "1"}, v{}), plugin("mobile", "tool_mobile", "qrcodetype", "2", "0"),
		gone("registration", "registration_hubs"), core("registration", "registrationpending", "1", "0"),
		row("registration", "config_plugins", v{"plugin": "hub", "name": "site_name", "value": "x"}, nil),
		gone("push", "user_devices"), gone("push", "message_airnotifier_devices"), core("push", "airnotifieraccesskey", "k3y", ""),
		row("push", "sms_gateways", v{"enabled": "1", "config": `{"key":"s3cret"}`}, v{"enabled": "0", "config": "{}"}),
		row("payments", "payment_gateways", v{"enabled": "1", "config": `{"secret":"s3cret"}`}, v{"enabled": "0", "config": "{}"}),
		row("payments", "enrol", v{"enrol": "paypal", "status": "0"}, v{"status": "1"}), row("payments", "enrol", v{"enrol": "fee", "status": "0"}, v{"status": "1"}),
		row("", "enrol", v{"enrol": "manual", "status": "0"}, v{}),
		core("enrolments", "enrol_plugins_enabled", "manual,ldap,self,database,paypal,cohort", "manual,self,cohort"),
		row("repositories", "repository_instances", v{"password": "s3cret"}, v{"password": ""}),
		row("repositories", "repository_instance_config", v{"name": "secret_key", "value": "s3cret"}, v{"value": ""}),
		row("", "repository_instance_config", v{"name": "endpoint", "value": "s3.example.org"}, v{}),
		row("repositories", "portfolio_instance_config", v{"name": "secret", "value": "s3cret"}, v{"value": ""}),
		row("repositories", "portfolio_instance_user", v{"name": "authtoken", "value": "s3cret"}, v{"value": ""}),
		plugin("repositories", "tool_objectfs", "enabletasks", "1", "0"),
		core("badges", "badges_allowexternalbackpack", "1", "0"), row("badges", "badge_backpack", v{"password": "s3cret"}, v{"password": ""}),
		row("badges", "badge_external_backpack", v{"password": "s3cret"}, v{"password": ""}), gone("badges", "badge_backpack_oauth2"),
		core("mnet", "mnet_dispatcher_mode", "strict", "off"), plugin("mnet", "mnet", "openssl", "s3cret", ""), gone("mnet", "mnet_session"),
		core("secrets", "smtphosts", "mail.example.org", ""), core("secrets", "smtpuser", "site", ""), core("secrets", "smtppass", "s3cret", ""),
		core("secrets", "messageinbound_hostpass", "s3cret", ""), core("secrets", "recaptchaprivatekey", "s3cret", ""), core("", "proxybypass", "localhost", "localhost"),
		core("", "passwordpolicy", "1", "1"), core("", "minpasswordlength", "8", "8"), plugin("secrets", "auth_ldap", "bind_pw", "s3cret", ""),
		plugin("secrets", "enrol_database", "dbpass", "s3cret", ""), plugin("secrets", "aiprovider_openai", "apikey", "s3cret", ""), plugin("", "enrol_guest", "requirepassword", "1", "1"),
		plugin("", "auth_db", "fieldpass", "pwd", "pwd"),
		row("secrets", "config_log", v{"name": "smtppass", "value": "s3cret", "oldvalue": "older"}, v{"value": "", "oldvalue": ""}),
		row("secrets", "ai_providers", v{"enabled": "1", "config": `{"apikey":"s3cret"}`}, v{"enabled": "0", "config": "{}"}),
		core("statistics", "enableanalytics", "1", "0"), missing("statistics", "updateautocheck", "0"), core("statistics", "searchengine", "solr", "simpledb"),
		plugin("statistics", "tool_log", "enabled_stores", "logstore_standard,logstore_database", "logstore_standard"),
		row("password", "user", v{"username": "admin", "auth": "ldap", "password": "not cached"}, v{"auth": "manual", "password": Hash}),
		row("", "user", v{"username": "ada", "auth": "ldap", "password": "not cached"}, v{}),
		core("banner", "additionalhtmltopofbody", "<p>Hello</p>", Banner+"<p>Hello</p>"),
		row("banner", "course", v{"category": "0", "fullname": "School"}, v{"fullname": NamePrefix + "School"}), row("", "course", v{"category": "1", "fullname": "Art"}, v{}),
		core("", "siteidentifier", "abc", "abc"),
	}
}

// What Rows expects of the settings, and what it has of the result.
const (
	Password   = "a new password"
	BannerText = "A <copy>"
	NamePrefix = "COPY: "
	Hash       = "any hash of the password"
	Banner     = "any banner with A &lt;copy&gt;"
)
