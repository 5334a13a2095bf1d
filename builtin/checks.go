package builtin

import (
	"github.com/lmsvault/vault/actions/checkbackup"
	"github.com/lmsvault/vault/actions/restore"
	"github.com/lmsvault/vault/core/moodle/check"
)

// Checks returns the checks of all actions, in the order of their documentation.
func Checks() []check.Group {
	return []check.Group{checkbackup.Checks(), restore.Checks()}
}
