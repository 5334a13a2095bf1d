// Package sdk is what the author of a plugin imports: the contracts of stages
// and what serves them to Vault.
//
//	func main() {
//		sdk.Main(sdk.Plugin{Name: "sftp", Version: "1.0.0", Stages: []sdk.Stage{storage()}})
//	}
//
// A stage is written as the built-in ones are, see package core/stage; docs/plugins.md
// goes through it step by step.
package sdk
