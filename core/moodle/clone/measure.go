package clone

// Measure is one thing that makes a copy safe.
type Measure struct {
	ID    string // setting that turns it off
	Title string // what was done, for reports
	Doc   string // what it changes, Markdown

	on    func(*Config) bool
	rules func(*Config, *Options) ([]rule, error)
}

// recording records where a copy comes from.
var recording = Measure{ID: "record", Title: "The address of the original is recorded"}

// fixed are rules that depend on no settings.
func fixed(rules ...rule) func(*Config, *Options) ([]rule, error) {
	return func(*Config, *Options) ([]rule, error) { return rules, nil }
}

// Measures lists all measures, in the order of reports.
func Measures() []Measure {
	return []Measure{
		{"mail", "Mail is off", "`noemailever` is 1; `divertallemailsto` is `divert_mail_to` and `divertallemailsexcept` is empty, for the day when somebody turns mail on; incoming mail is off.",
			func(s *Config) bool { return s.Mail },
			func(s *Config, _ *Options) ([]rule, error) {
				return []rule{
					setting("noemailever", "1"), setting("divertallemailsto", s.DivertMailTo), setting("divertallemailsexcept", ""),
					changeSetting("messageinbound_enabled", zero),
				}, nil
			}},
		{"cron", "Cron is off", "`cron_enabled` is 0, and so are automated course backups.",
			func(s *Config) bool { return s.Cron },
			fixed(setting("cron_enabled", "0"), update("config_plugins", []assignment{to("value", "0")}, is("plugin", "backup"), is("name", "backup_auto_active")))},
		{"tasks", "Queued ad hoc tasks are dropped", "Table `task_adhoc` is empty.",
			func(s *Config) bool { return s.Tasks }, fixed(drop("task_adhoc"))},
		{"sessions", "Sessions are ended", "Tables `sessions` and `user_password_resets` are empty.",
			func(s *Config) bool { return s.Sessions }, fixed(drop("sessions"), drop("user_password_resets"))},
		{"webservices", "Web services are off", "`enablewebservices` is 0; `external_tokens` is empty.",
			func(s *Config) bool { return s.WebServices }, fixed(setting("enablewebservices", "0"), drop("external_tokens"))},
		{"lti", "LTI is off", "External tools and tool proxies are rejected; platforms that use this site are disabled; secrets, keys and tokens of both directions are emptied.",
			func(s *Config) bool { return s.LTI }, fixed(ltiRules()...)},
		{"oauth2", "OAuth 2 services are disabled", "Issuers are disabled and have no client secret; system accounts, refresh tokens and access tokens are dropped.",
			func(s *Config) bool { return s.OAuth2 },
			fixed(update("oauth2_issuer", []assignment{to("enabled", "0")}), update("oauth2_issuer", []assignment{empty("clientsecret")}),
				drop("oauth2_system_account"), drop("oauth2_refresh_token"), drop("oauth2_access_token"))},
		{"mobile", "The mobile app's service is off", "`enablemobilewebservice` is 0, the service is disabled, and there are no QR codes to log in.",
			func(s *Config) bool { return s.Mobile },
			fixed(setting("enablemobilewebservice", "0"), update("external_services", []assignment{to("enabled", "0")}, is("shortname", "moodle_mobile_app")),
				update("config_plugins", []assignment{to("value", "0")}, is("plugin", "tool_mobile"), is("name", "qrcodetype")))},
		{"registration", "The site's registration is dropped", "`registration_hubs` and the settings of the registration are dropped.",
			func(s *Config) bool { return s.Registration },
			fixed(drop("registration_hubs"), drop("config_plugins", is("plugin", "hub")), changeSetting("registrationpending", zero))},
		{"push", "Push notifications and SMS are off", "`user_devices` and `message_airnotifier_devices` are empty, `airnotifieraccesskey` too; SMS gateways are disabled and have no settings.",
			func(s *Config) bool { return s.Push },
			fixed(drop("user_devices"), drop("message_airnotifier_devices"), changeSetting("airnotifieraccesskey", none),
				update("sms_gateways", []assignment{to("enabled", "0"), by("config", noObject)}))},
		{"payments", "Payments are off", "Payment gateways are disabled and have no settings; enrolments for a fee are disabled.",
			func(s *Config) bool { return s.Payments },
			fixed(update("payment_gateways", []assignment{to("enabled", "0"), by("config", noObject)}), update("enrol", []assignment{to("status", "1")}, is("enrol", paid...)))},
		{"enrolments", "External enrolment is off", "`enrol_plugins_enabled` is without " + list(external) + ".",
			func(s *Config) bool { return s.Enrolments }, fixed(changeSetting("enrol_plugins_enabled", without(external)))},
		{"repositories", "Repositories and portfolios have no secrets", "Passwords and keys of instances are emptied; the tasks of tool_objectfs, which move and delete files in an object store, are off.",
			func(s *Config) bool { return s.Repositories }, fixed(repositoryRules()...)},
		{"badges", "Badge backpacks are disconnected", "`badges_allowexternalbackpack` is 0; passwords and tokens of backpacks are emptied.",
			func(s *Config) bool { return s.Badges },
			fixed(setting("badges_allowexternalbackpack", "0"), update("badge_backpack", []assignment{empty("password")}),
				update("badge_external_backpack", []assignment{empty("password")}), drop("badge_backpack_oauth2"))},
		{"mnet", "MNet is off", "`mnet_dispatcher_mode` is off; the site's key is emptied, and sessions of peers are dropped.",
			func(s *Config) bool { return s.MNet },
			fixed(setting("mnet_dispatcher_mode", "off"), update("config_plugins", []assignment{empty("value")}, is("plugin", "mnet"), is("name", "openssl")), drop("mnet_session"))},
		{"secrets", "Passwords and keys of other services are emptied", "`smtphosts` and `smtpuser` are empty, and so are the values of settings whose name ends like that of a password or key (" + list(secretEnds) +
			"), also in `config_log`. AI providers are disabled.",
			func(s *Config) bool { return s.Secrets }, fixed(secretRules()...)},
		{"statistics", "Nothing is sent for statistics, updates or search", "`enableanalytics` and `updateautocheck` are 0; external log stores are off; global search uses the database.",
			func(s *Config) bool { return s.Statistics },
			fixed(setting("enableanalytics", "0"), setting("updateautocheck", "0"), changeSetting("searchengine", simpleSearch),
				update("config_plugins", []assignment{by("value", without(externalStores))}, is("plugin", "tool_log"), is("name", "enabled_stores")))},
		{"password", "Administrators have a new password", "The users in `admins`, and in a database those of `siteadmins`, log in with `admin_password`.",
			func(s *Config) bool { return s.Password }, passwordRules},
		{"banner", "A banner says that it is a copy", "`additionalhtmltopofbody` begins with `banner_text`; the site's full name begins with `name_prefix`.",
			func(s *Config) bool { return s.Banner }, bannerRules},
	}
}
