package clone

import (
	"slices"
	"strings"
)

// secretEnds are ends of names of settings that hold a password or a key of another service.
var secretEnds = []string{
	"password", "passwd", "pass", "_pw", "secret", "secretphrase", "apikey", "api_key", "accesskey", "access_key", "secretkey", "secret_key",
	"privatekey", "private_key", "licensekey", "sharedkey", "shared_key", "accountkey", "account_key", "token", "credentials",
}

// notSecret are names with such an end that hold something else, or that another measure
// empties.
var notSecret = []string{"proxybypass", "fieldpass", "field_map_password", "adminpasses", "requirepassword", "quizpassword", "airnotifieraccesskey"}

// isSecretName reports whether a setting of that name holds a secret.
func isSecretName(name string) bool {
	name = strings.ToLower(name)
	return !slices.Contains(notSecret, name) && slices.ContainsFunc(secretEnds, func(end string) bool { return strings.HasSuffix(name, end) })
}

// secretName is met by rows of settings that hold a secret.
func secretName(column string) match { return match{column, isSecretName} }

// emptySecret empties a value unless it is a switch.
func emptySecret(column string) assignment {
	return by(column, func(text string) string {
		if text == "0" || text == "1" {
			return text
		}
		return ""
	})
}
