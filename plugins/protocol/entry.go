package protocol

import (
	"fmt"
	"regexp"
	"time"

	"github.com/lmsvault/vault/core/stage"
	pb "github.com/lmsvault/vault/plugins/protocol/v1"
)

// EntryMessage converts an entry to a message.
func EntryMessage(e stage.Entry) (*pb.Entry, error) {
	if err := words(fmt.Sprintf("kind or fingerprint of the entry %q", e.Path), string(e.Kind), e.Fingerprint); err != nil {
		return nil, err
	}
	m := &pb.Entry{Path: []byte(e.Path), Kind: string(e.Kind), Size: e.Size, Mode: e.Mode, Fingerprint: e.Fingerprint}
	if e.Target != "" {
		m.Target = []byte(e.Target)
	}
	if !e.ModTime.IsZero() {
		m.ModTime = &pb.Time{Seconds: e.ModTime.Unix(), Nanos: uint32(e.ModTime.Nanosecond())}
	}
	if o := e.Owner; o.Known {
		m.Owner = &pb.Owner{Uid: o.UID, Gid: o.GID}
	}
	return m, nil
}

// Entry is the inverse of EntryMessage. Times are in UTC.
func Entry(m *pb.Entry) (stage.Entry, error) {
	e := stage.Entry{
		Path: string(m.GetPath()), Kind: stage.Kind(m.GetKind()), Size: m.GetSize(), Mode: m.GetMode(),
		Target: string(m.GetTarget()), Fingerprint: m.GetFingerprint(),
	}
	if t := m.GetModTime(); t != nil {
		if t.Nanos >= 1e9 {
			return e, broken("the time of entry %q has %d nanoseconds", e.Path, t.Nanos)
		}
		e.ModTime = time.Unix(t.Seconds, int64(t.Nanos)).UTC()
	}
	if o := m.GetOwner(); o != nil {
		if max(o.Uid, o.Gid) > stage.MaxID {
			return e, broken("entry %q has invalid user %d or group %d", e.Path, o.Uid, o.Gid)
		}
		e.Owner = stage.Owner{Known: true, UID: o.Uid, GID: o.Gid}
	}
	if e.Mode&^0o7777 != 0 {
		return e, broken("entry %q has mode %o, which is more than permissions", e.Path, e.Mode)
	}
	if e.Size < 0 {
		return e, broken("entry %q has %d bytes", e.Path, e.Size)
	}
	return e, nil
}

// DigestMessage converts a digest to a message.
func DigestMessage(d stage.Digest) (*pb.Digest, error) {
	if err := words("a digest", d.SHA1, d.SHA256); err != nil {
		return nil, err
	}
	return &pb.Digest{Bytes: d.Bytes, Sha1: d.SHA1, Sha256: d.SHA256}, nil
}

var (
	sha1Hex   = regexp.MustCompile(`^([0-9a-f]{40})?$`)
	sha256Hex = regexp.MustCompile(`^([0-9a-f]{64})?$`)
)

// Digest is the inverse of DigestMessage.
func Digest(m *pb.Digest) (stage.Digest, error) {
	d := stage.Digest{Bytes: m.GetBytes(), SHA1: m.GetSha1(), SHA256: m.GetSha256()}
	if !sha1Hex.MatchString(d.SHA1) || !sha256Hex.MatchString(d.SHA256) {
		return d, broken("a digest is not hexadecimal: %q, %q", d.SHA1, d.SHA256)
	}
	return d, natural("a digest", d.Bytes)
}
