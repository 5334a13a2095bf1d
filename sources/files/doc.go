// Package files reads a Moodle file pool (filedir), whose files lie under the
// SHA-1 of their content.
package files
