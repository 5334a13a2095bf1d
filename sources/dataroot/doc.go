// Package dataroot reads the files of a Moodle data root, but for the file pool
// and what Moodle makes again by itself.
package dataroot
