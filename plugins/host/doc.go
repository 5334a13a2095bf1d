// Package host runs stages in processes of their own: it starts plugins, stands
// in for their stages, and ends them.
package host
