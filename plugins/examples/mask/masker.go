package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"hash"
	"net/netip"
)

// leastMask is the minimum length of a mask: 60 bits, which gives one collision in a
// million sites with a million users each.
const leastMask = 12

const domain = "@masked.invalid" // reserved by RFC 2606: never delivered

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// masker makes masks. It is used by one goroutine.
type masker struct {
	hash hash.Hash
	sum  [sha256.Size]byte
}

func newMasker(key string) *masker { return &masker{hash: hmac.New(sha256.New, []byte(key))} }

// append appends the mask of a value: lower-case letters and digits, cut to length. The
// mask of an e-mail or IP address is such an address too, if it fits. Masks need no
// escapes.
func (m *masker) append(dst, value []byte, length int) []byte {
	m.hash.Reset()
	m.hash.Write(value)
	sum := m.hash.Sum(m.sum[:0])
	start := len(dst)
	if isIP(value) {
		address := [16]byte{0x20, 0x01, 0x0d, 0xb8} // reserved by RFC 3849 for documentation
		copy(address[4:], sum)
		dst = netip.AddrFrom16(address).AppendTo(dst)
		if fits(len(dst)-start, length) {
			return dst
		}
		dst = dst[:start]
	}
	dst = letters.AppendEncode(dst, sum[:16])
	switch n := len(dst) - start; {
	case isMail(value) && fits(n+len(domain), length):
		return append(dst, domain...)
	case !fits(n, length):
		return dst[:start+length]
	}
	return dst
}

func fits(n, length int) bool { return length == 0 || n <= length }

func isMail(value []byte) bool {
	return bytes.IndexByte(value, '@') > 0 && !bytes.ContainsAny(value, " \t\r\n<>")
}

// isIP checks the characters before allocating a string, because most values are not IP
// addresses.
func isIP(value []byte) bool {
	if !bytes.ContainsAny(value, ".:") || len(bytes.Trim(value, "0123456789abcdefABCDEF.:")) > 0 {
		return false
	}
	_, err := netip.ParseAddr(string(value))
	return err == nil
}
