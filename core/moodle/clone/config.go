package clone

import (
	"strings"

	"github.com/lmsvault/vault/core/config"
)

// Config says which measures to take. Stages embed it.
type Config struct {
	Mail         bool `key:"mail" default:"true" help:"send no mail and receive none"`
	Cron         bool `key:"cron" default:"true" help:"turn off cron and automated course backups"`
	Tasks        bool `key:"tasks" default:"true" help:"drop the ad hoc tasks that are queued"`
	Sessions     bool `key:"sessions" default:"true" help:"end all sessions and drop links that reset passwords"`
	WebServices  bool `key:"webservices" default:"true" help:"turn off web services and drop their tokens"`
	LTI          bool `key:"lti" default:"true" help:"disable LTI tools and platforms and empty their secrets"`
	OAuth2       bool `key:"oauth2" default:"true" help:"disable OAuth 2 services and drop their tokens"`
	Mobile       bool `key:"mobile" default:"true" help:"turn off the mobile app's service"`
	Registration bool `key:"registration" default:"true" help:"drop the registration of the site at moodle.org"`
	Push         bool `key:"push" default:"true" help:"drop devices for push notifications, and disable SMS gateways"`
	Payments     bool `key:"payments" default:"true" help:"disable payment gateways and paid enrolment"`
	Enrolments   bool `key:"enrolments" default:"true" help:"disable enrolment methods that use other systems"`
	Repositories bool `key:"repositories" default:"true" help:"empty the secrets of repositories and portfolios, and stop the tasks of tool_objectfs"`
	Badges       bool `key:"badges" default:"true" help:"disconnect badge backpacks"`
	MNet         bool `key:"mnet" default:"true" help:"turn off MNet and empty its key"`
	Secrets      bool `key:"secrets" default:"true" help:"empty all other settings that hold a password or key of another service, such as that of the mail server"`
	Statistics   bool `key:"statistics" default:"true" help:"turn off analytics, checks for updates, external log stores and external search engines"`
	Password     bool `key:"password" default:"true" help:"set the password of administrators, if admin_password is given"`
	Banner       bool `key:"banner" default:"true" help:"show on every page that the site is a copy"`

	DivertMailTo  string        `key:"divert_mail_to" default:"nobody@example.invalid" help:"address that gets all mail if somebody turns mail on again"`
	Admins        []string      `key:"admins" default:"admin" help:"usernames of administrators who get admin_password"`
	AdminPassword config.Secret `key:"admin_password" help:"new password of administrators; they then log in with it, whatever their authentication was" example:"${env:COPY_PASSWORD}"`
	BannerText    string        `key:"banner_text" default:"This is a copy. It sends no mail and runs no tasks." help:"text of the banner"`
	NamePrefix    string        `key:"name_prefix" help:"prefix of the site's full name, such as \"COPY: \""`
}

// maxPassword is the number of bytes that bcrypt reads.
const maxPassword = 72

// Validate checks the settings.
func (s *Config) Validate() error {
	if len(s.AdminPassword.Reveal()) > maxPassword {
		return config.At("admin_password", "admin_password exceeds %d bytes", maxPassword)
	}
	if s.DivertMailTo != "" && strings.Count(s.DivertMailTo, "@") != 1 {
		return config.At("divert_mail_to", "divert_mail_to is not an e-mail address")
	}
	return nil
}
