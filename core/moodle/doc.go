// Package moodle holds what Vault knows about Moodle, as data and small functions:
// which paths of a data root are never backed up, how the file pool (filedir) names
// its contents, which contents a site's tables refer to, and which site it is.
package moodle
