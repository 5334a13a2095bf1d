// Package filetree reads and writes file trees for the stages of files. Every access
// goes through an opened root directory (os.Root) without following symbolic links,
// so that neither a link planted in a site nor a forged name in a snapshot leads
// outside.
//
// It transfers the name, content, permission bits, owner and modification time of a
// file, and the name, target and owner of a symbolic link, but not extended
// attributes, hard links (each name becomes a file) and holes. Restoring owners is
// optional and needs root. Otherwise a sink removes setuid and setgid from files
// unless told to keep them.
package filetree
