// Package plugincmd has the commands of vault plugin: install, list, info, verify,
// remove, new and test.
package plugincmd
