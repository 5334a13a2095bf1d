// Package runcmd implements the commands for pipeline files: run, plan, lint and demo.
package runcmd
