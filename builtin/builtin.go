// Package builtin registers the stages that come with Vault.
package builtin

import (
	"github.com/lmsvault/vault/actions/checkbackup"
	"github.com/lmsvault/vault/actions/command"
	"github.com/lmsvault/vault/actions/http"
	"github.com/lmsvault/vault/actions/maintenance"
	"github.com/lmsvault/vault/actions/purgecaches"
	"github.com/lmsvault/vault/actions/removemissing"
	replaceaddressaction "github.com/lmsvault/vault/actions/replaceaddress"
	"github.com/lmsvault/vault/actions/restore"
	"github.com/lmsvault/vault/actions/safeclone"
	"github.com/lmsvault/vault/actions/upgrade"
	"github.com/lmsvault/vault/actions/writeconfig"
	"github.com/lmsvault/vault/core/stage"
	datarootsink "github.com/lmsvault/vault/sinks/dataroot"
	filessink "github.com/lmsvault/vault/sinks/files"
	moodlesink "github.com/lmsvault/vault/sinks/moodle"
	mysqlsink "github.com/lmsvault/vault/sinks/mysql"
	postgressink "github.com/lmsvault/vault/sinks/postgres"
	sqlitesink "github.com/lmsvault/vault/sinks/sqlite"
	"github.com/lmsvault/vault/sources/dataroot"
	"github.com/lmsvault/vault/sources/files"
	"github.com/lmsvault/vault/sources/moodle"
	"github.com/lmsvault/vault/sources/mysql"
	"github.com/lmsvault/vault/sources/postgres"
	"github.com/lmsvault/vault/sources/sample"
	"github.com/lmsvault/vault/sources/site"
	"github.com/lmsvault/vault/sources/sqlite"
	"github.com/lmsvault/vault/storages/local"
	"github.com/lmsvault/vault/transforms/compress"
	"github.com/lmsvault/vault/transforms/encrypt"
	"github.com/lmsvault/vault/transforms/mask"
	"github.com/lmsvault/vault/transforms/preserve"
	"github.com/lmsvault/vault/transforms/replaceaddress"
	safecloning "github.com/lmsvault/vault/transforms/safeclone"
	"github.com/lmsvault/vault/transforms/sitesettings"
	"github.com/lmsvault/vault/transforms/typemap"
)

// Stages returns a registry of all built-in stages.
func Stages() (*stage.Registry, error) {
	return stage.NewRegistry(
		moodle.Stage(), mysql.Stage(), postgres.Stage(), sqlite.Stage(), files.Stage(), dataroot.Stage(), site.Stage(), sample.Stage(),
		compress.Stage(), encrypt.Stage(), typemap.Stage(), mask.Stage(), safecloning.Stage(), preserve.Stage(), sitesettings.Stage(),
		replaceaddress.Stage(),
		moodlesink.Stage(), mysqlsink.Stage(), postgressink.Stage(), sqlitesink.Stage(), filessink.Stage(), datarootsink.Stage(),
		local.Stage(),
		command.Stage(),
		http.Stage(),
		maintenance.Stage(),
		purgecaches.Stage(),
		removemissing.Stage(),
		restore.Check(),
		safeclone.Stage(),
		replaceaddressaction.Stage(),
		upgrade.Stage(),
		restore.Guard(),
		writeconfig.Stage(),
		checkbackup.Stage(),
	)
}
