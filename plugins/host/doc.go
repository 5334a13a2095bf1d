// Package host runs stages in processes of their own. It starts plugins, provides their
// stages as values of package stage, and terminates the processes. Start with New and
// Host.Describe.
package host
