// Package initcmd is the command "init", which sets Vault up for a Moodle site.
package initcmd
