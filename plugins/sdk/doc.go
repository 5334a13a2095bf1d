// Package sdk is imported by the authors of plugins. It has the contracts of stages and
// serves them to Vault:
//
//	func main() {
//		sdk.Main(sdk.Plugin{Name: "sftp", Version: "1.0.0", Stages: []sdk.Stage{storage()}})
//	}
//
// A stage is written like the built-in ones, see package core/stage; docs/plugins.md
// explains it step by step.
package sdk
