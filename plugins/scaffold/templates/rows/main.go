// Command my-stage is a Vault plugin with a record transform.
package main

import "github.com/lmsvault/vault/plugins/sdk"

func main() { sdk.Main(plugin()) }

// plugin may have several stages, including ones of other roles.
func plugin() sdk.Plugin {
	return sdk.Plugin{Name: "my-stage", Version: "0.1.0", Stages: []sdk.Stage{declaration()}}
}
