// Package dataroot reads the files of a Moodle data root, except the file pool and
// what Moodle recreates itself.
package dataroot
