// Package pack stores chunks. Each chunk is compressed and sealed on its own, and stored
// with others in a pack. The directory at the end of the pack and the index record where
// it is. A chunk that is in the index is not stored again.
package pack
