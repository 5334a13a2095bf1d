package mask

import "slices"

// rule masks a column.
type rule struct {
	table  string // "" for every table
	column string
	kind   Kind
	on     func(*Settings) bool
}

// drops are rows to leave out.
type drops struct {
	table string
	where [][2]string // column and value, all of which must hold; none for all rows
	on    func(*Settings) bool
}

func named(s *Settings) bool        { return s.Names }
func accounts(s *Settings) bool     { return s.Accounts }
func emails(s *Settings) bool       { return s.Emails }
func phones(s *Settings) bool       { return s.Phones }
func addresses(s *Settings) bool    { return s.Addresses }
func ips(s *Settings) bool          { return s.IPs }
func descriptions(s *Settings) bool { return s.Descriptions }
func profiles(s *Settings) bool     { return s.Profiles }
func secrets(s *Settings) bool      { return s.Secrets }
func pictures(s *Settings) bool     { return s.Pictures }

// rules lists the columns that are masked, in all versions of Moodle. The first one that
// fits a column applies.
var rules = slices.Concat(
	of("user", named, Given, "firstname", "middlename", "alternatename", "firstnamephonetic"),
	of("user", named, Family, "lastname", "lastnamephonetic"),
	of("user", accounts, Account, "username", "idnumber", "moodlenetprofile", "skype", "aim", "yahoo", "msn"),
	of("user", phones, Phone, "phone1", "phone2", "icq"),
	of("user", addresses, Text, "institution", "department", "address", "city"),
	of("user", descriptions, Text, "description", "imagealt", "url"),
	of("user", secrets, password, "password"),
	of("user", secrets, secret, "secret"),
	of("user", pictures, picture, "picture"),
	of("user_info_data", profiles, Auto, "data"),
	of("files", named, FullName, "author"),
	of("logstore_standard_log", accounts, event, "other"),
	of("mnet_session", accounts, Account, "username"),
	of("mnet_sso_access_control", accounts, Account, "username"),
	of("auth_oauth2_linked_login", accounts, Account, "username"),
	of("auth_oauth2_linked_login", secrets, secret, "confirmtoken"),
	of("oauth2_system_account", accounts, Account, "username"),
	of("enrol_lti_users", secrets, secret, "consumersecret"),
	of("badge_backpack", secrets, secret, "password"),
	of("", ips, IP, "ip", "lastip", "firstip", "ipaddress", "userip", "remoteip", "createdfromip"),
	of("", emails, Email, "email", "useremail", "receiver_email"),
)

func of(table string, on func(*Settings) bool, kind Kind, columns ...string) []rule {
	var all []rule
	for _, column := range columns {
		all = append(all, rule{table, column, kind, on})
	}
	return all
}

// dropped lists the rows that are left out.
var dropped = []drops{
	{"sessions", nil, secrets}, {"external_tokens", nil, secrets}, {"user_private_key", nil, secrets}, {"user_password_history", nil, secrets},
	{"user_password_resets", nil, secrets}, {"user_devices", nil, secrets}, {"message_airnotifier_devices", nil, secrets}, {"mnet_session", nil, secrets},
	{"oauth2_access_token", nil, secrets}, {"oauth2_refresh_token", nil, secrets}, {"badge_backpack_oauth2", nil, secrets}, {"lti_access_tokens", nil, secrets},
	{"tool_mfa", nil, secrets}, {"tool_mfa_secrets", nil, secrets},
	{"files", [][2]string{{"component", "user"}, {"filearea", "icon"}}, pictures},
	{"search_simpledb_index", [][2]string{{"areaid", "core_user-user"}}, named},
}

// preferences are preferences of users that hold an address.
var preferences = []string{"message_processor_email_email", "message_processor_jabber_jabberid", "newemail"}
