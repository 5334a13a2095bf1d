package moodle

import "strings"

// EmptyContent is the content hash of the empty file. Moodle needs no file for
// it, so it is never missing.
const EmptyContent = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

// FilesTable is the table, without prefix, whose column ContentHashColumn refers to
// contents of the file pool.
const (
	FilesTable        = "files"
	ContentHashColumn = "contenthash"
)

// ValidHash reports whether s is a content hash: a SHA-1 as 40 lower-case hex digits.
func ValidHash(s string) bool { return len(s) == 40 && isHex(s) }

// PoolFolder reports whether s can name a directory of the file pool: two lower-case
// hex digits.
func PoolFolder(s string) bool { return len(s) == 2 && isHex(s) }

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// ContentPath returns the path of a content relative to the file pool: ab/cd/abcd….
// hash must be valid.
func ContentPath(hash string) string { return hash[:2] + "/" + hash[2:4] + "/" + hash }

// ContentHash returns the hash of the content at a path relative to the file pool; ok
// is false for a path where Moodle would not look for one.
func ContentHash(path string) (hash string, ok bool) {
	hash = path[strings.LastIndexByte(path, '/')+1:]
	return hash, ValidHash(hash) && path == ContentPath(hash)
}

// Unfinished reports whether a file name in the file pool is that of an unfinished
// upload (HASH.tmp) or of a deleted file that is still open on NFS (.nfs…).
func Unfinished(name string) bool {
	hash, tmp := strings.CutSuffix(name, ".tmp")
	return tmp && ValidHash(hash) || strings.HasPrefix(name, ".nfs")
}
