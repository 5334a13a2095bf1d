// Package object defines what all parts of the repository format share: object names,
// chunk IDs, the root object, damage, and decoding of binary fields. It does not depend
// on keys or snapshots.
package object
