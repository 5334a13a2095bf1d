package config

import (
	"cmp"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// Misread describes a problem with a path that means something else to a shell or another
// program. Only Meant contains the path.
type Misread struct {
	Problem string // "begins with ~, which only a shell expands"
	Meant   string // what to write in a pipeline file; "" if unknown
	Remedy  string // what to do in a pipeline file
	Arg     string // what to do on a command line; "" for the same
}

// Advice returns the remedy for a literal path in a pipeline file.
func (m *Misread) Advice() string {
	if m.Meant != "" {
		return "write " + m.Meant
	}
	return m.Remedy
}

// AdviceForArg returns the remedy for a path on a command line.
func (m *Misread) AdviceForArg() string { return cmp.Or(m.Arg, m.Remedy) }

var (
	drivePath       = regexp.MustCompile(`^[A-Za-z]:([\\/]|$)`)
	windowsVariable = regexp.MustCompile(`%[A-Za-z_]+%`)
	scheme          = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):(//|$)`)
	shortForm       = regexp.MustCompile(`^(file|s3|gs|b2|az|azure|azblob|swift|rest|rclone|sftp|sqlite):`)
	remote          = regexp.MustCompile(`^([^/:]*@[^/:]+:|[A-Za-z0-9.-]+:[/~])`)
	variable        = regexp.MustCompile(`(^|[^.]/|^/)\$([A-Za-z_][A-Za-z0-9_]*)`)
	// plainVariables is a path with variables that can hardly be a secret.
	plainVariables = regexp.MustCompile(`^(\$[A-Z][A-Z_]*|[A-Za-z0-9._-]*)(/(\$[A-Z][A-Z_]*|[A-Za-z0-9._-]*))*$`)
	plainPath      = regexp.MustCompile(`^[A-Za-z0-9._/-]*$`)
)

// The kinds of URLs that are not directories, and their remedies.
var (
	bucket   = &Misread{Problem: "names a bucket, but this version has no bucket storage", Remedy: "name a directory, such as one where the bucket is mounted, or use the storage of a plugin"}
	server   = &Misread{Problem: "is the URL of a server, not a directory", Remedy: "name a directory, such as one where the server is mounted, or use the storage of a plugin"}
	ssh      = &Misread{Problem: "names a directory on another host", Remedy: "mount it and name the directory, or use a plugin such as the example sftp"}
	database = &Misread{Problem: "is the address of a database, not a path", Remedy: "name a directory or file here; a database address belongs in dsn of mysql or postgres"}
	unknown  = &Misread{Problem: "is a URL, not a path", Remedy: server.Remedy}
)

// elsewhere returns the reason why a URL of this kind is not a directory.
func elsewhere(kind string) *Misread {
	switch kind {
	case "s3", "gs", "gcs", "b2", "az", "azure", "azblob", "abfs", "abfss", "wasb", "wasbs", "swift", "r2", "minio", "oss", "rclone":
		return bucket
	case "http", "https", "webdav", "dav", "davs", "ftp", "ftps", "smb", "cifs", "nfs", "rest":
		return server
	case "sftp", "ssh", "scp", "rsync":
		return ssh
	case "mysql", "mariadb", "postgres", "postgresql", "pgsql":
		return database
	}
	return unknown
}

// Misreading describes a path that is probably not meant as a local path, such as ~/x,
// $HOME/x, s3://bucket or user@host:/srv. It returns nil for all others. A leading ./
// marks a path as literal, for files that really have such a name.
func Misreading(path string) *Misread {
	switch {
	case strings.ContainsFunc(path, unicode.IsControl):
		return &Misread{Problem: "contains a line break or another control character", Remedy: "remove it"}
	case strings.Contains(path, "${"):
		return &Misread{
			Problem: "contains a reference ${ that is not expanded", Remedy: "write the reference in the pipeline file; its value is not expanded again",
			Arg: "leave out the single quotes, so that the shell expands it",
		}
	case strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../"):
		return nil
	case strings.TrimSpace(path) != path:
		return &Misread{Problem: "begins or ends with a space", Remedy: "remove it, or write ./ before the name"}
	case strings.HasPrefix(path, `"`) || strings.HasPrefix(path, "'"):
		return &Misread{Problem: "begins with a quotation mark", Remedy: "remove the quotation marks; they are part of the value"}
	case strings.HasPrefix(path, "~"):
		return home(path)
	case strings.Contains(path, "$(") || strings.Contains(path, "`"):
		return &Misread{Problem: "contains a shell command", Remedy: "write the path; commands are not run here", Arg: "leave out the single quotes, so that the shell runs it"}
	case strings.HasPrefix(path, `\\`), drivePath.MatchString(path), windowsVariable.MatchString(path):
		return &Misread{Problem: "is a Windows path", Remedy: "write the path where the drive or share is mounted, such as /mnt/backups"}
	case variable.MatchString(path):
		m := &Misread{
			Problem: "contains a shell variable", Remedy: "write ${env:NAME} in the pipeline file",
			Arg: "leave out the single quotes, so that the shell expands it",
		}
		if plainVariables.MatchString(path) {
			m.Meant = variable.ReplaceAllString(path, "$1$${env:$2}")
		}
		return m
	case scheme.MatchString(path) || shortForm.MatchString(path):
		kind, rest, _ := strings.Cut(path, ":")
		return asURL(strings.ToLower(kind), strings.TrimPrefix(rest, "//"))
	case remote.MatchString(path):
		return ssh
	}
	return nil
}

func home(path string) *Misread {
	m := &Misread{
		Problem: "begins with ~, which only a shell expands", Remedy: "write the whole path, or ${env:HOME} for the home directory",
		Arg: "write the whole path, or leave out the quotes, so that the shell expands it",
	}
	if rest := path[1:]; (rest == "" || rest[0] == '/') && plainPath.MatchString(rest) {
		m.Meant = "${env:HOME}" + rest
	}
	return m
}

func asURL(kind, rest string) *Misread {
	if kind != "file" && kind != "sqlite" {
		return elsewhere(kind)
	}
	m := &Misread{Problem: "is a URL, not a path", Remedy: "write only the path"}
	path := "/" + strings.TrimLeft(strings.TrimPrefix(rest, "localhost/"), "/")
	if strings.Contains(rest, "/") && plainPath.MatchString(path) {
		m.Meant, m.Arg = path, "write "+path
	}
	return m
}

// resolve returns the absolute path of a setting; relative paths start at dir.
func resolve(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	if abs, err := filepath.Abs(filepath.Join(dir, path)); err == nil {
		return abs
	}
	return filepath.Join(dir, path)
}
