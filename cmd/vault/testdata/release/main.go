// Command release is a plugin for tests of its installation: a storage in a directory.
package main

import (
	"github.com/lmsvault/vault/plugins/sdk"
	"github.com/lmsvault/vault/storages/local"
)

var version = "1.0.0" // set by the linker

func main() {
	s := local.Stage()
	s.Name, s.Summary = "mystore", "keeps a repository in a directory, for tests"
	sdk.Main(sdk.Plugin{Name: "mystore", Version: version, Stages: []sdk.Stage{s}})
}
