package moodle

// LostFound is the directory in the root of a file system where fsck puts what it
// recovers.
const LostFound = "lost+found"

// Folder is the kind of a directory, guessed from its contents.
type Folder string

// Kinds of directories that are easily confused.
const (
	Unknown  Folder = ""
	Code     Folder = "Moodle's code"
	DataRoot Folder = "a data root"
	Pool     Folder = "a file pool"
	Empty    Folder = "empty"
)

// dataRootSigns are names that Moodle creates in its data root. A file pool has none
// of them.
var dataRootSigns = map[string]bool{
	FiledirName: true, "cache": true, "lang": true, "localcache": true, "muc": true, "sessions": true, "trashdir": true, "temp": true, "lock": true,
}

// Recognise guesses the kind of a directory from the names in it. It returns Unknown
// if they fit more than one kind.
func Recognise(names func(yield func(string) bool)) Folder {
	code := map[string]bool{}
	signs, pool, filedir, any := false, false, false, false
	for name := range names {
		switch {
		case name == LostFound:
			continue
		case name == "config-dist.php" || name == "version.php" || name == "config.php" || name == "lib" || name == "public":
			code[name] = true
		case dataRootSigns[name]:
			signs, filedir = true, filedir || name == FiledirName
		case PoolFolder(name):
			pool = true
		}
		any = true
	}
	switch {
	case code["config-dist.php"] || code["lib"] && (code["version.php"] || code["config.php"]):
		return Code
	case filedir || signs && !pool:
		return DataRoot
	case pool && !signs:
		return Pool
	case !any:
		return Empty
	}
	return Unknown
}
