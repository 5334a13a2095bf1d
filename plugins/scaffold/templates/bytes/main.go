// Command my-stage is a plugin of Vault: a transform of bytes.
package main

import "github.com/lmsvault/vault/plugins/sdk"

func main() { sdk.Main(plugin()) }

// plugin may have several stages, also of different roles.
func plugin() sdk.Plugin {
	return sdk.Plugin{Name: "my-stage", Version: "0.1.0", Stages: []sdk.Stage{declaration()}}
}
