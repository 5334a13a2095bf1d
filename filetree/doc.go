// Package filetree reads and writes trees of files for the stages that carry
// them: every access goes below an opened root directory (os.Root), and no
// symbolic link is followed on the way, so that neither a link planted in a
// site nor a name made up in a snapshot leads anywhere else.
//
// What is carried of a file: name, content, permission bits, owner, modification time;
// of a symbolic link its name, target and owner. Extended attributes, hard links (each
// name becomes a file) and holes are not. Owners are restored on demand: it takes root.
// Otherwise a sink takes setuid and setgid away from files unless it is told to keep them.
package filetree
