package postgres

import (
	"testing"

	"github.com/lmsvault/vault/core/config"
)

// A relative path in a DSN would depend on the working directory.
func TestFilesInDSNAreAbsolute(t *testing.T) {
	for dsn, good := range map[string]bool{
		"postgres://u:p@db/moodle?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem": true,
		"postgres://u:p@db/moodle?sslrootcert=system":                              true,
		"host=db sslrootcert=/etc/ca.pem sslcert='/etc/my cert.pem'":               true,
		"postgres://u:p@db/moodle?sslrootcert=ca.pem":                              false,
		"host=db sslkey=./key.pem":                                                 false,
	} {
		c := Connection{DSN: config.NewSecret(dsn)}
		if err := c.Validate(); (err == nil) != good {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
