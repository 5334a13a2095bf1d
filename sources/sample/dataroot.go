package sample

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/lmsvault/vault/core/stage"
)

// item is an entry of the data root; files have content.
type item struct {
	stage.Entry
	data []byte
}

func (i *item) digest() stage.Digest {
	sum := sha256.Sum256(i.data)
	return stage.Digest{Bytes: i.Size, SHA256: hex.EncodeToString(sum[:])}
}

// dataroot generates the data root outside filedir, sorted by path. It contains
// nothing that backups exclude.
func dataroot(s *site, factor float64) []item {
	d := &root{}
	d.dir("lang", 0o2777)
	for i, lang := range []string{"de", "fr", "ar", "pt_br"} {
		d.dir("lang/"+lang, 0o2777)
		d.file("lang/"+lang+"/langconfig.php", 0o666, "<?php\n$string['thislanguage'] = '"+[]string{"Deutsch", "Français", "العربية", "Português"}[i]+"';\n")
		for n := range max(2, scale(8, factor)) {
			var r random
			r.start(s.config.Seed, "lang", int64(i)<<32+n)
			d.file(fmt.Sprintf("lang/%s/mod_part%d.php", lang, n), 0o660, string(s.words.prose([]byte("<?php\n// "), &r, 500)))
		}
	}
	d.link("lang/current", "de")
	d.file("lang/de/empty.php", 0o600, "")
	d.file("0", 0o644, "0")
	d.dir("models", 0o777)
	d.dir("geoip", 0o750)
	var r random
	r.start(s.config.Seed, "geoip", 0)
	database := make([]byte, 20000)
	r.fill(database)
	d.file("geoip/GeoLite2-City.mmdb", 0o440, string(database))
	d.dir("secret", 0o700)
	d.dir("secret/key", 0o700)
	d.file("secret/key/sodium.key", 0o400, string(database[:32]))
	d.dir("repository", 0o2770)
	d.dir("repository/empty", 0o755)
	d.dir("repository/empty/deeper", 0o755)
	d.file("repository/run.sh", 0o755, "#!/bin/sh\necho hello\n")
	for i, name := range []string{"ü ñ 日本語 🎓.txt", "u\u0308 decomposed.txt", "odd \xff\xfe bytes", "new\nline\ttab", `quotes ' " back\slash`, "-dash", "trailing space ", "semi;colon:&|*?", "UPPER", "upper"} {
		d.file("repository/"+name, 0o664, fmt.Sprintf("content %d\n", i))
	}
	d.link("repository/dangling", "nowhere/at all")
	d.link("repository/up", "../lang/de/langconfig.php")
	slices.SortFunc(d.items, func(a, b item) int { return cmp.Compare(a.Path, b.Path) })
	return d.items
}

type root struct{ items []item }

func (d *root) add(i item) {
	i.Path = stage.Dataroot + "/" + i.Path
	i.ModTime = modTime(int64(len(d.items)))
	d.items = append(d.items, i)
}

func (d *root) dir(path string, mode uint32) {
	d.add(item{Entry: stage.Entry{Path: path, Kind: stage.Dir, Mode: mode}})
}

func (d *root) link(path, target string) {
	d.add(item{Entry: stage.Entry{Path: path, Kind: stage.Symlink, Mode: 0o777, Target: target}})
}

func (d *root) file(path string, mode uint32, data string) {
	e := stage.Entry{Path: path, Kind: stage.File, Mode: mode, Size: int64(len(data))}
	sum := sha256.Sum256([]byte(data))
	e.Fingerprint = hex.EncodeToString(sum[:8])
	d.add(item{Entry: e, data: []byte(data)})
}

// modTime is the modification time of the n-th file, to the nanosecond.
func modTime(n int64) time.Time { return time.Unix(epoch+n*3601, n%1000*1_000_003).UTC() }
