package sqlite

import (
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/lmsvault/vault/core/rows"
	"github.com/lmsvault/vault/core/schema"
	"github.com/lmsvault/vault/dialects/sqltext"
)

// currentTimestamp is the only expression that all engines share.
const currentTimestamp = "CURRENT_TIMESTAMP"

// defaultOf parses the SQL of a default.
func defaultOf(sql string, none bool, t *schema.Type) *schema.Default {
	d := meaning(sql, none, t)
	if d == nil || d.Expr {
		return d
	}
	if as, err := defaultSQL(d, t, Dialect); err != nil || as != sql {
		d.Native = sql
	}
	return d
}

func meaning(sql string, none bool, t *schema.Type) *schema.Default {
	if none || strings.EqualFold(sql, "NULL") {
		return nil
	}
	if strings.EqualFold(sql, currentTimestamp) {
		return &schema.Default{Value: currentTimestamp, Expr: true}
	}
	value, ok := constant(sql)
	if ok {
		var cell []byte
		if cell, ok = AppendCell(nil, t, stored(value, t)); ok {
			var plain []byte
			var err error
			if plain, err = rows.Unescape(nil, cell); err == nil {
				return &schema.Default{Value: string(plain)}
			}
		}
	}
	return &schema.Default{Value: sql, Expr: true}
}

// stored returns the value that a column of type t would hold: affinity turns the
// text of a number into a number.
func stored(v driver.Value, t *schema.Type) driver.Value {
	s, isText := v.(string)
	switch t.Kind {
	case schema.Int, schema.Bool, schema.Float, schema.Decimal:
		if !isText {
			return v
		}
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseFloat(s, 64); err == nil && (t.Kind == schema.Float || numeric(*t)) {
			return n
		}
	case schema.Char, schema.Text:
		if n, ok := v.(int64); ok {
			return strconv.FormatInt(n, 10)
		}
	}
	return v
}

// constant parses a literal: text, number, blob, TRUE or FALSE.
func constant(sql string) (driver.Value, bool) {
	list := tokens(sql)
	if len(list) == 1 && (list[0].kind == literal || list[0].kind == name) && list[0].end == len(sql) {
		return list[0].text, true
	}
	switch strings.ToUpper(sql) {
	case "TRUE":
		return int64(1), true
	case "FALSE":
		return int64(0), true
	}
	if len(list) == 1 && list[0].kind == word && !strings.HasPrefix(strings.ToUpper(sql), "CURRENT_") {
		return sql, true // a bare name is text here
	}
	if len(list) == 2 && list[0].is("x") && list[1].kind == literal && list[1].start == list[0].end {
		if blob, err := hex.DecodeString(list[1].text); err == nil {
			return blob, true
		}
	}
	if n, err := strconv.ParseInt(sql, 10, 64); err == nil {
		return n, true
	}
	if strings.Trim(sql, "+-.0123456789eE") != "" {
		return nil, false
	}
	if n, err := strconv.ParseFloat(sql, 64); err == nil || strings.TrimPrefix(sql, "-") == infinity {
		return n, true
	}
	return nil, false
}

// infinity is parsed by SQLite as infinity (sqlite.org, "Floating Point Numbers").
const infinity = "9e999"

// defaultSQL writes a default; an error says why SQLite cannot have it.
func defaultSQL(d *schema.Default, t *schema.Type, dialect string) (string, error) {
	if dialect == Dialect && refuseConstant(d.Native) == nil {
		if m := meaning(d.Native, false, t); m != nil && !m.Expr && m.Value == d.Value {
			return d.Native, nil // the original spelling, if equivalent
		}
	}
	switch {
	case d.Expr && strings.EqualFold(d.Value, currentTimestamp):
		return currentTimestamp, nil
	case d.Expr && dialect != Dialect:
		return "", fmt.Errorf("an expression of %s", dialect)
	case d.Expr:
		return "(" + d.Value + ")", refuseExpression(d.Value)
	}
	var e Encoder
	v, err := e.Value(rows.AppendText(nil, d.Value), t)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		switch {
		case math.IsInf(v, 1):
			return infinity, nil
		case math.IsInf(v, -1):
			return "-" + infinity, nil
		}
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case string:
		return Literal(v), sqltext.Value(v)
	case []byte:
		return "x'" + hex.EncodeToString(v) + "'", nil
	}
	return "", errors.New("no literal exists for it")
}
