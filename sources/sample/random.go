package sample

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// random is a stream of numbers that depends only on its start values. It is not safe
// for concurrent use.
type random struct{ pcg rand.PCG }

// start begins the stream of one item: the n-th of a kind.
func (r *random) start(seed int64, kind string, n int64) {
	h := uint64(14695981039346656037) // FNV-1a, inlined because it starts every row
	for i := range len(kind) {
		h = (h ^ uint64(kind[i])) * 1099511628211
	}
	r.pcg.Seed(uint64(seed)^h, uint64(n)*0x9e3779b97f4a7c15+h)
}

func (r *random) bits() uint64 { return r.pcg.Uint64() }

// below returns a number from 0 to n-1.
func (r *random) below(n int64) int64 {
	hi, _ := bits.Mul64(r.pcg.Uint64(), uint64(n))
	return int64(hi)
}

func pick[T any](r *random, from []T) T { return from[r.below(int64(len(from)))] }

// fill generates incompressible bytes.
func (r *random) fill(p []byte) {
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, r.bits())
		p = p[8:]
	}
	for i, last := 0, r.bits(); i < len(p); i++ {
		p[i] = byte(last >> (8 * i))
	}
}

const wordBits = 11

// vocabulary is 2^wordBits invented words, often used ones first.
type vocabulary []string

func newVocabulary() vocabulary {
	syllables := []string{"ka", "ro", "lin", "me", "ta", "vor", "es", "un", "dil", "mo", "sche", "ra", "pi", "ton", "gu", "be"}
	words := make(vocabulary, 1<<wordBits)
	for i := range words {
		word := syllables[i%16]
		for rest := i / 16; rest > 0; rest /= 16 {
			word += syllables[rest%16]
		}
		words[i] = word
	}
	return words
}

// prose appends about n bytes of sentences, which compress like natural text.
func (v vocabulary) prose(dst []byte, r *random, n int) []byte {
	for end := len(dst) + n; len(dst) < end; {
		for x, i := r.bits(), 0; i < 2; i++ {
			// The product of two even numbers favours small ones, as languages favour few words.
			a, b := x&(1<<wordBits-1), x>>wordBits&(1<<wordBits-1)
			x >>= 2 * wordBits
			dst = append(dst, v[a*b>>wordBits]...)
			if x&15 == 0 {
				dst = append(dst, '.')
			}
			dst = append(dst, ' ')
			x >>= 4
		}
	}
	return dst
}
