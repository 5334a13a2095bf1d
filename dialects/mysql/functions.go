package mysql

import (
	"fmt"
	"strings"

	"github.com/lmsvault/vault/dialects/sqltext"
)

// grammar defines the expressions allowed in this dialect. Its functions compute a
// value from their arguments, the time or chance; none reads files or tables, waits,
// locks, or expands small input into large output.
var grammar = &sqltext.Dialect{
	Quotes: "`", Backslash: true, Intervals: true,
	Literal: func(prefix string) bool {
		return strings.LastIndexByte(prefix, '_') == 0 || literalPrefixes[prefix] // a character set, or x, b …
	},
	Operators: sqltext.Set("+ - * / % = <=> <> != < <= > >= || && | & ^ ~ << >> -> ->> !"),
	Unary:     sqltext.Set("+ - ~ ! NOT BINARY"),
	Words:     sqltext.Set("AND OR XOR DIV MOD LIKE IN BETWEEN ESCAPE REGEXP RLIKE"),
	Constants: sqltext.Set("NULL TRUE FALSE CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME LOCALTIME LOCALTIMESTAMP"),
	Functions: sqltext.Set(`abs acos ascii asin atan atan2 bin bin_to_uuid bit_count bit_length ceil ceiling char char_length character_length
		coalesce concat concat_ws conv convert convert_tz cos cot crc32 curdate current_date current_time current_timestamp curtime
		date date_add date_format date_sub datediff day dayname dayofmonth dayofweek dayofyear degrees elt exp field find_in_set floor format
		from_base64 from_days from_unixtime get_format greatest hex hour if ifnull inet_aton inet_ntoa inet6_aton inet6_ntoa insert instr interval
		is_ipv4 is_ipv6 is_uuid isnull json_array json_array_append json_array_insert json_compact json_contains json_contains_path json_depth json_detailed
		json_exists json_extract json_insert json_keys json_length json_loose json_merge_patch json_merge_preserve json_object json_pretty json_query
		json_quote json_remove json_replace json_search json_set json_type json_unquote json_valid json_value last_day lcase least left length
		linestring ln localtime localtimestamp locate log log10 log2 lower ltrim makedate maketime md5 microsecond mid minute mod month monthname now nullif
		oct octet_length ord period_add period_diff pi point polygon position pow power quarter quote radians rand random_bytes regexp_instr regexp_like
		regexp_replace regexp_substr replace reverse right round rtrim sec_to_time second sha sha1 sha2 sign sin soundex sqrt
		st_aswkt st_astext st_geomfromtext st_geometryfromtext st_geomfromwkb st_pointfromtext st_srid st_x st_y str_to_date strcmp subdate adddate addtime subtime
		substr substring substring_index sysdate tan time time_format time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_days to_seconds trim
		truncate ucase unhex unix_timestamp upper utc_date utc_time utc_timestamp uuid uuid_short uuid_to_bin vec_fromtext vec_totext
		week weekday weekofyear weight_string year yearweek`),
	Type: castType,
}

var literalPrefixes = sqltext.Set("x b n date time timestamp")

var castTypes = sqltext.Set("signed unsigned char nchar varchar binary varbinary decimal date datetime time json float double real year integer int inet4 inet6 uuid")

// castType reads a type after CAST … AS.
func castType(p *sqltext.Parser) error {
	name, err := p.Identifier()
	if err != nil {
		return err
	}
	if !castTypes[strings.ToLower(name)] {
		return fmt.Errorf("a cast to %.60q is not allowed", name)
	}
	p.Accept("INTEGER")
	if p.Peek().IsSymbol("(") {
		if err := p.List(func() error { return digits(p.Take()) }); err != nil {
			return err
		}
	}
	if p.AcceptAll("CHARACTER", "SET") || p.Accept("CHARSET") {
		if _, err := p.Identifier(); err != nil {
			return err
		}
	}
	p.Accept("ARRAY")
	return nil
}
