// Package files reads a Moodle file pool (filedir), whose files are stored under the
// SHA-1 of their content.
package files
