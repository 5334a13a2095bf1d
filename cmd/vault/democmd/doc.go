// Package democmd is the command "demo", which shows Vault's main work on a sample site.
package democmd
