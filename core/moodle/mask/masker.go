package mask

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// masker makes masks. It is safe for concurrent use.
type masker struct {
	hashes sync.Pool
	keep   []string // usernames
}

func newMasker(key string, keep []string) *masker {
	return &masker{hashes: sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(key)) }}, keep: keep}
}

// sum returns the keyed hash of a value. Use tells apart hashes of equal values.
func (m *masker) sum(use, value string) [sha256.Size]byte {
	h := m.hashes.Get().(hash.Hash)
	defer m.hashes.Put(h)
	h.Reset()
	h.Write([]byte(use))
	h.Write([]byte{0})
	h.Write([]byte(value))
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// unique returns 16 letters and digits, 80 bits.
func (m *masker) unique(use, value string) string {
	sum := m.sum(use, value)
	return letters.EncodeToString(sum[:10])
}

// account returns the mask of a username. Those to keep stay.
func (m *masker) account(value string) string {
	if slices.Contains(m.keep, value) {
		return value
	}
	return "user" + m.unique("account", value)
}

// domain is never delivered to: RFC 2606 reserves it.
const domain = "@example.invalid"

// email returns the mask of an address. Its case is ignored, as by Moodle.
func (m *masker) email(value string) string {
	return m.unique("email", strings.ToLower(value)) + domain
}

// ip returns the mask of an IP address: one that is reserved for documentation. Addresses
// of the machine itself stay.
func (m *masker) ip(value string, length int) string {
	a, err := netip.ParseAddr(value)
	if err != nil {
		return m.text(value)
	}
	if a.IsLoopback() || a.IsUnspecified() {
		return value
	}
	sum := m.sum("ip", a.String())
	to := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	copy(to[4:], sum[:])
	text := netip.AddrFrom16(to).String()
	if length > 0 && len(text) > length { // 240.0.0.0/4 is in use nowhere
		text = netip.AddrFrom4([4]byte{240 | sum[0]&15, sum[1], sum[2], sum[3]}).String()
	}
	return cut(text, length)
}

// text replaces letters by letters of the same script and digits by digits. HTML tags are
// removed. The mask has no more characters than the value.
func (m *masker) text(value string) string {
	plain := withoutTags(value)
	for turn := byte('0'); ; turn++ {
		if text := m.shaped("text"+string(turn), plain); text != plain || turn == '9' {
			return text
		}
	}
}

func (m *masker) shaped(use, value string) string {
	p := replacer{Rand: rand.New(rand.NewChaCha8(m.sum(use, value)))}
	var b strings.Builder
	b.Grow(len(value))
	for _, r := range value {
		b.WriteRune(p.replace(r))
	}
	return b.String()
}

const (
	vowels     = "aeiou"
	consonants = "bcdfghklmnprstvz"
)

// replacer replaces characters at random.
type replacer struct {
	*rand.Rand
	script *unicode.RangeTable // of the last letter that was not Latin
}

// replace returns another character like r.
func (p *replacer) replace(r rune) rune {
	pick := func(from string) rune { return rune(from[p.IntN(len(from))]) }
	switch {
	case r >= '0' && r <= '9':
		return pick("0123456789")
	case unicode.Is(unicode.Latin, r):
		from := consonants
		if strings.ContainsRune("aeiouAEIOU", r) {
			from = vowels
		}
		if unicode.IsUpper(r) {
			return unicode.ToUpper(pick(from))
		}
		return pick(from)
	case !unicode.IsLetter(r) && !unicode.IsDigit(r):
		return r
	}
	return p.neighbour(r)
}

// neighbour returns a letter or digit near r, of the same script and case.
func (p *replacer) neighbour(r rune) rune {
	const near = 32
	if p.script == nil || !unicode.Is(p.script, r) {
		_, p.script = scriptOf(string(r))
	}
	for range 64 {
		other := r&^(near-1) + rune(p.IntN(near))
		if other != r && unicode.IsLetter(other) == unicode.IsLetter(r) && unicode.IsDigit(other) == unicode.IsDigit(r) && unicode.IsUpper(other) == unicode.IsUpper(r) &&
			(p.script == nil || unicode.Is(p.script, other)) {
			return other
		}
	}
	return r
}

// withoutTags removes HTML tags.
func withoutTags(value string) string {
	if !strings.Contains(value, "<") {
		return value
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(value, "<")
		b.WriteString(before)
		_, after, closed := strings.Cut(rest, ">")
		if !ok || !closed {
			if ok {
				b.WriteString(rest)
			}
			return b.String()
		}
		value = after
	}
}

// choose returns one of n by a value.
func (m *masker) choose(use, value string, n int) int {
	sum := m.sum(use, value)
	return int(binary.BigEndian.Uint64(sum[:8]) % uint64(n))
}
