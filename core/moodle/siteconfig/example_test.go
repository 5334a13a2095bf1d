package siteconfig_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/lmsvault/vault/core/config"
	"github.com/lmsvault/vault/core/moodle/siteconfig"
)

// In this site config.php takes the database password from the environment of the web
// server, which Vault does not have.
func Example() {
	s, err := siteconfig.Read(context.Background(), "testdata/sites/docker-env-unset", siteconfig.Options{
		Env:   os.LookupEnv,
		Given: map[string]config.Secret{"dbuser": config.NewSecret("backup"), "dbpass": config.NewSecret("secret")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.Database()
	var unknown *siteconfig.UnknownError
	if errors.As(err, &unknown) {
		fmt.Println(unknown.Settings, unknown.Unset, unknown.Remedy())
	}
	dataroot, err := s.DataRoot()
	fmt.Println(dataroot, err)
	// Output:
	// [dbname] [MOODLE_DB_NAME] set MOODLE_DB_NAME, or give dbname as an option
	// /var/www/moodledata <nil>
}
