// Package moodle holds what Vault must know of Moodle, as data and small
// functions: which paths of a data root are never carried, how the file pool
// (filedir) names its contents, which contents a
// site's tables name, and which site it is.
package moodle
