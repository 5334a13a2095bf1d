package typemap

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
)

// isGeometry reports whether the values of a column are geometries in the format of
// MySQL and MariaDB.
func isGeometry(dialect string, c schema.Column) bool {
	if dialect != mysql || c.Type.Kind != schema.Other {
		return false
	}
	name, _, _ := strings.Cut(strings.ToLower(c.Native), " ")
	switch name {
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return true
	}
	return false
}

// appendGeometry appends the well-known text of a geometry, given as a cell of hex:
// four bytes of its spatial reference system, then its well-known binary (MySQL
// manual, "Internal Geometry Storage Format"). A system other than 0 is prepended, as
// in PostGIS. X and Y keep their stored order.
func appendGeometry(dst, cell []byte) ([]byte, bool) {
	raw, err := rows.Binary(nil, cell)
	if err != nil || len(raw) < 4 {
		return dst, false
	}
	start := len(dst)
	if srid := binary.LittleEndian.Uint32(raw); srid != 0 {
		dst = append(dst, "SRID="...)
		dst = strconv.AppendUint(dst, uint64(srid), 10)
		dst = append(dst, ';')
	}
	g := geometry{rest: raw[4:], dst: dst}
	if !g.whole(0) || len(g.rest) > 0 {
		return dst[:start], false
	}
	return g.dst, true
}

// geometry converts well-known binary to well-known text. Its methods report whether
// the input was valid.
type geometry struct {
	rest  []byte
	dst   []byte
	order binary.ByteOrder
}

// Names of geometry types, by their numbers from 1 on.
var geometryNames = []string{"POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"}

// whole reads a geometry with its header, and writes its name and body.
func (g *geometry) whole(depth int) bool {
	kind, ok := g.head()
	if !ok || depth > maxNested {
		return false
	}
	g.dst = append(g.dst, geometryNames[kind-1]...)
	return g.body(kind, depth)
}

const maxNested = 32

func (g *geometry) head() (kind uint32, ok bool) {
	if len(g.rest) < 1 || g.rest[0] > 1 {
		return 0, false
	}
	g.order = binary.ByteOrder(binary.BigEndian)
	if g.rest[0] == 1 {
		g.order = binary.LittleEndian
	}
	g.rest = g.rest[1:]
	kind, ok = g.number()
	return kind, ok && kind >= 1 && int(kind) <= len(geometryNames)
}

func (g *geometry) number() (uint32, bool) {
	if len(g.rest) < 4 {
		return 0, false
	}
	n := g.order.Uint32(g.rest)
	g.rest = g.rest[4:]
	return n, true
}

func (g *geometry) body(kind uint32, depth int) bool {
	switch kind {
	case 1:
		g.dst = append(g.dst, '(')
		ok := g.point()
		g.dst = append(g.dst, ')')
		return ok
	case 2:
		return g.list(g.point)
	case 3:
		return g.list(func() bool { return g.list(g.point) })
	case 7:
		return g.list(func() bool { return g.whole(depth + 1) })
	}
	return g.list(func() bool { // of the single kind, each with a head
		part, ok := g.head()
		return ok && part == kind-3 && g.body(part, depth)
	})
}

// list reads a count and that many parts.
func (g *geometry) list(part func() bool) bool {
	n, ok := g.number()
	if !ok {
		return false
	}
	if n == 0 {
		g.dst = append(g.dst, " EMPTY"...)
		return true
	}
	g.dst = append(g.dst, '(')
	for i := range n {
		if i > 0 {
			g.dst = append(g.dst, ',')
		}
		if !part() { // also fails at the end of the input
			return false
		}
	}
	g.dst = append(g.dst, ')')
	return true
}

func (g *geometry) point() bool {
	if len(g.rest) < 16 {
		return false
	}
	for i := range 2 {
		if i > 0 {
			g.dst = append(g.dst, ' ')
		}
		g.dst = strconv.AppendFloat(g.dst, math.Float64frombits(g.order.Uint64(g.rest)), 'g', -1, 64)
		g.rest = g.rest[8:]
	}
	return true
}
