// Package pack stores chunks. A chunk is compressed and sealed by itself and put into
// a pack with others; the pack's end and the index say where it is. A chunk that the
// index has is not stored again.
package pack
