// Package scaffold writes what the author of a plugin starts from: a small
// project that builds and passes its own test. Each folder of templates with Go
// sources is such a program as it is, under the name my-stage.
package scaffold
