package php

import (
	"strings"
	"testing"
)

// Each case has the value of $CFG->x after PHP has run the code.
func TestValues(t *testing.T) {
	for code, want := range map[string]string{
		// Strings.
		`'a\'b\\c\n'`:                         `"a'b\\c\\n"`,
		`"a\"b\\c\n\t\x41\101\u{e9}\$\q"`:     `"a\"b\\c\n\tAAé$\\q"`,
		`"$s and {$s} and ${s}"`:              `"text and text and text"`,
		`"$a[k] $a[0] {$a['k']} {$o->p}$$"`:   `"v zero v prop$$"`,
		`"$o->p->q"`:                          `"prop->q"`,
		`"{$a['n']['m']}"`:                    `"deep"`,
		`"{$f('x')}"`:                         `"<x>"`,
		"<<<EOT\nline $s\n  two\nEOT":         `"line text\n  two"`,
		"<<<'EOT'\nline $s\\n\nEOT":           `"line $s\\n"`,
		"<<<\"EOT\"\n    a\n      b\n    EOT": `"a\n  b"`,
		"<<<EOT\r\na\r\nb\r\nEOT":             `"a\r\nb"`,
		"<<<EOT\nEOT":                         `""`,
		// Numbers.
		`0755`: "493", `02777`: "1535", `0x1F`: "31", `0b11`: "3", `1_000`: "1000", `1.5e3`: "1500", `.5`: "0.5", `0.1 + 0.2`: "0.30000000000000004",
		`1 + 2 * 3`: "7", `(1 + 2) * 3`: "9", `7 / 2`: "3.5", `6 / 2`: "3", `7 % 3`: "1", `-2 ** 2`: "-4", `2 ** -1`: "0.5", `E_ALL | E_STRICT`: "32767", `60*60*6`: "21600",
		`"5" + "1.5"`: "6.5", `1e100`: "1.0E+100", `9223372036854775807`: "9223372036854775807",
		// Concatenation.
		`'a' . 1 . 1.0 . true . false . null`: `"a111"`, `'a' . 1 + 2`: `"a3"`,
		// Arrays.
		`[1, 'k' => 2, 3,]`: "[1,k:2,3]", `array('a', array('b'))`: `["a",["b"]]`, `['5' => 'a', 'b']`: `[5:"a",6:"b"]`, `[true => 'a', '01' => 'b']`: `[1:"a",01:"b"]`,
		`[...[1, 2], 3]`: "[1,2,3]", `[1, 2] + [5, 6, 7]`: "[1,2,7]", `['a' => ['b' => 'c']]['a']['b']`: `"c"`, `'text'[1]`: `"e"`, `[1][5]`: "null",
		// Comparisons.
		`1 == '1'`: "true", `'abc' == 0`: "false", `null == false`: "true", `'1' === 1`: "false", `'a' <=> 'b'`: "-1", `'10' == '1e1'`: "true", `[1] === [1]`: "true", `'' == null`: "true",
		`'0' ? 1 : 2`: "2", `'' ?: 'x'`: `"x"`, `null ?? 'x'`: `"x"`, `$a['none'] ?? $b ?? 'x'`: `"x"`, `$a['k'] ?? 'x'`: `"v"`, `!'' && !0`: "true", `true and false`: "true",
		`1 <> 2`: "true", `true xor true`: "true", `!isset($a['k']) || empty($a['none'])`: "true", `isset($a['k'], $none)`: "false", `@$none['x']`: "null",
		`match (true) { 1 > 2 => 'a', 2 > 1, false => 'b', default => 'c' }`: `"b"`, `match ($s) { 'no' => 1, default => 2 }`: "2",
		// Casts.
		`(int) '12abc'`: "12", `(bool) 'false'`: "true", `(string) 1.50`: `"1.5"`, `(array) 'a'`: `["a"]`, `(float) '1.5'`: "1.5", `(int) 1.9`: "1", `( boolean )0`: "false",
		// Constants.
		`__DIR__`: `"/site"`, `__FILE__`: `"/site/config.php"`, `__LINE__`: "4", `TRUE`: "true", `PHP_EOL`: `"\n"`, `MINE . \MINE`: `"constmineconstmine"`, `OTHER`: "7", `DIRECTORY_SEPARATOR`: `"/"`,
		`\Foo\Bar::class`: `"Foo\\Bar"`,
		// Functions.
		`dirname(__DIR__)`: `"/"`, `dirname('/a/b/c', 2)`: `"/a"`, `dirname('a')`: `"."`, `basename('/a/b.php', '.php')`: `"b"`, `rtrim('a//', '/')`: `"a"`, `trim(" a\n")`: `"a"`,
		`strtolower('ÀB')`: `"Àb"`, `str_replace(['a', 'b'], ['1', '2'], 'aabb')`: `"1122"`, `substr('abcdef', -3, 2)`: `"de"`, `substr('abc', 1)`: `"bc"`, `strpos('abc', 'd')`: "false",
		`explode(',', 'a,b')`: `["a","b"]`, `explode(':', 'h:1:2', 2)`: `["h","1:2"]`, `implode('-', [1, 2])`: `"1-2"`, `sprintf('%s:%d%%', 'a', '7')`: `"a:7%"`, `intval('42x')`: "42",
		`in_array('a', ['b', 'a'])`: "true", `in_array('1', [1], true)`: "false", `array_merge(['a' => 1], ['a' => 2, 3])`: "[a:2,3]", `count([1, 2])`: "2", `end($list)`: "3",
		`filter_var('off', FILTER_VALIDATE_BOOLEAN)`: "false", `filter_var('yes', FILTER_VALIDATE_BOOL)`: "true", `array_key_exists('k', $a)`: "true", `is_array($a)`: "true", `strlen('é')`: "2",
		`parse_url('mysql://u:p%40@h:3306/db')`:                      `[scheme:"mysql",host:"h",port:3306,user:"u",pass:"p%40",path:"/db"]`,
		`parse_url('https://h/x', PHP_URL_HOST)`:                     `"h"`,
		`str_starts_with('abc', 'ab') && str_ends_with('abc', 'bc')`: "true",
		`defined('MINE') && !defined('PHPUNIT_TEST')`:                "true",
		`constant('MINE')`:                      `"constmine"`,
		`is_numeric('1.5') && !is_numeric('a')`: "true",
		`compact('s')`:                          `[s:"text"]`,
		`file_exists(__DIR__ . '/there.php') && is_dir('/site')`: "true",
		`is_file('/site/none.php')`:                              "false",
		`trim(file_get_contents('/site/secret'))`:                `"s3cret"`,
		`mine('a') . mine(b: 'x', a: 'b')`:                       "?",
		`mine('a') . mine('b', 'c')`:                             `"aminebc"`,
		`(function ($x) use ($s) { return $x . $s; })('a')`:      `"atext"`,
		`(fn($x) => $x . $s)('a')`:                               `"atext"`,
		`$f('a')`:                                                `"<a>"`,
		`recursive(3)`:                                           `"xxx"`,
		`byref($s) . $s`:                                         `"changed"`,
		// Server and environment.
		`getenv('SET')`: `"yes"`, `getenv('NONE')`: "false", `getenv('NONE') ?: 'x'`: `"x"`, `getenv('EMPTY')`: `""`, `$_ENV['SET'] ?? 'x'`: `"yes"`, `$_ENV['NONE'] ?? 'x'`: `"x"`,
		`$_SERVER['SET']`: `"yes"`, `$_SERVER['SERVER_NAME']`: `"moodle.example.org"`, `$_SERVER['HTTP_HOST']`: "?", `$_SERVER['HTTP_HOST'] ?? 'x'`: "?", `isset($_SERVER['SERVER_NAME'])`: "true",
		`array_key_exists('NONE', $_SERVER)`: "false", `(int) getenv('PORT')`: "3307", `$_GET['x']`: "?", `$_SERVER`: "?", `array_key_exists('HTTP_HOST', $_SERVER)`: "?",
		// Unknown values.
		`intdiv(7, 2)`: "?", `'a' . time()`: "?", `[1, time()]`: "[1,?]", `NOWHERE`: "?", `Foo::bar()`: "?", `new Foo(1)`: "?", `$o->method()`: "?", `php_sapi_name() === 'cli'`: "?", `defined('CLI_SCRIPT')`: "?",
		`Foo::BAR`: "?", `time() ? 'same' : 'same'`: `"same"`, `time() ? [1, 2] : [1, 3]`: "[1,?]", `time() && false`: "false", `time() || true`: "true", `time() ?? 5`: "?", `[time() => 1]`: "?",
		`json_decode('{}')`: "?", `time() . $undefined`: "?", `1 / 0`: "?", `match (time()) { 1 => 'a', 2 => 'a', default => 'a' }`: `"a"`, `match (time()) { 1 => 'a', default => 'b' }`: "?",
	} {
		before := "<?php\n$s = 'text'; $list = [1, 2, 3]; $a = ['k' => 'v', 0 => 'zero', 'n' => ['m' => 'deep']]; $o = new stdClass; $o->p = 'prop'; const OTHER = 7; define('MINE', 'constmine');" +
			"$f = function ($x) { return \"<$x>\"; }; function mine($a, $b = 'mine') { return $a . $b; } function recursive($n) { if ($n == 0) return ''; return 'x' . recursive($n - 1); } function byref(&$x) { $x = 'changed'; return ''; }\n" +
			"$CFG = new stdClass();\n$CFG->x = "
		got, err := run(t, before+code+"\n;", "/site/there.php", "", "/site/secret", "s3cret\n")
		if err != nil || got != "x="+want {
			t.Errorf("%s\nis %s, %v\nwant x=%s", code, got, err, want)
		}
	}
}

func TestStatements(t *testing.T) {
	for code, want := range map[string]string{
		`$CFG->a = 1; unset($CFG); global $CFG; $CFG = new stdClass(); $CFG->b = 2;`:                         "b=2",
		`$CFG->a = ['x' => 1]; $CFG->a['y'] = 2; $CFG->a['z']['w'] = 3; $CFG->a[] = 4; unset($CFG->a['x']);`: "a=[y:2,z:[w:3],4]",
		`$CFG->{'a'} = 1; $n = 'b'; $CFG->$n = 2; $CFG->{$n . 'c'} = 3;`:                                     "a=1 b=2 bc=3",
		`$c = $CFG; $c->a = 1; $GLOBALS['CFG']->b = 2;`:                                                      "a=1 b=2",
		`$CFG->a = 1; unset($CFG->a);`:                                                                       "",
		`$CFG->a = 'x'; $CFG->a .= 'y'; $CFG->b ??= 1; $CFG->b ??= 2; $CFG->c = 1; $CFG->c += 2; $CFG->c++;`: `a="xy" b=1 c=4`,
		`[$CFG->a, $CFG->b] = [1, 2]; list('k' => $CFG->c) = ['k' => 3]; [, $CFG->d] = [1, 2];`:              "a=1 b=2 c=3 d=2",
		`$CFG->a = $CFG->b = 1;`:                                                               "b=1 a=1",
		`$k = 'a'; $$k = 5; $CFG->x = $a;`:                                                     "x=5",
		`if (1) $CFG->a = 1; else $CFG->a = 2;`:                                                "a=1",
		`if (0) { $CFG->a = 1; } elseif (1) { $CFG->a = 2; } else { $CFG->a = 3; }`:            "a=2",
		`if (0): $CFG->a = 1; elseif (0): $CFG->a = 2; else: $CFG->a = 3; endif; $CFG->b = 1;`: "a=3 b=1",
		`if (0) $CFG->a = 1; else if (1) { $CFG->a = 2; }`:                                     "a=2",
		`switch ('b') { case 'a': $CFG->a = 1; break; case 'b': $CFG->a = 2; case 'c': $CFG->c = 3; break; default: $CFG->a = 4; }`:                                  "a=2 c=3",
		`switch (5): default: $CFG->a = 4; break; case 6: $CFG->a = 6; endswitch;`:                                                                                   "a=4",
		`foreach (['a' => 1, 'b' => 2] as $k => $v) { $CFG->$k = $v; }`:                                                                                              "a=1 b=2",
		`foreach ([1, 2, 3, 4] as $v) { if ($v == 2) continue; if ($v == 4) break; $CFG->{'x' . $v} = $v; }`:                                                         "x1=1 x3=3",
		`foreach ([[1, 2]] as [$a, $b]) $CFG->a = $a + $b;`:                                                                                                          "a=3",
		`for ($i = 0; $i < 3; $i++) { $CFG->a[] = $i; }`:                                                                                                             "a=[0,1,2]",
		`$i = 3; while ($i > 0) { $i--; } $CFG->i = $i; do { $CFG->d = 1; } while (false);`:                                                                          "i=0 d=1",
		`foreach ([1, 2] as $x) { foreach ([1, 2] as $y) { if ($y == 2) continue 2; $CFG->{"k$x$y"} = 1; } }`:                                                        "k11=1 k21=1",
		`function f() { global $CFG; $CFG->a = 1; } f();`:                                                                                                            "a=1",
		`function f($name, $default = null) { $v = getenv($name); if ($v === false) { return $default; } return $v; } $CFG->a = f('SET'); $CFG->b = f('NONE', 'd');`: `a="yes" b="d"`,
		`if (!function_exists('f')) { function f() { return 1; } } $CFG->a = f();`:                                                                                   "a=1",
		`if (isset($_SERVER['SERVER_NAME']) && $_SERVER['SERVER_NAME'] === 'moodle.example.org') { $CFG->a = 1; }`:                                                   "a=1",
		`$_SERVER['HTTP_HOST'] = 'h'; $CFG->a = $_SERVER['HTTP_HOST'];`:                                                                                              `a="h"`,
		`putenv('X=1'); $CFG->a = getenv('X');`:                                                                                                                      `a="1"`,
		`class Foo { public $x = 1; function f() { return "}"; } } $CFG->a = 1;`:                                                                                     "a=1",
		`final class Foo extends Bar implements Baz { } interface I {} trait T {} enum E: string { case A = 'a'; } $CFG->a = 1;`:                                     "a=1",
		`$x = new class { function f() {} }; $CFG->a = 1;`:                                                                                                           "a=1",
		`try { $CFG->a = 1; } catch (\Throwable $e) { $CFG->a = 2; } finally { $CFG->b = 3; }`:                                                                       "a=1 b=3",
		`try { $CFG->a = 1; throw new Exception('x'); } catch (A | B $e) { $CFG->b = 2; }`:                                                                           "a=? b=2",
		`try { $r = new Redis(); $CFG->a = 1; } catch (Exception $e) { die('x'); }`:                                                                                  "a=1",
		"# one\n// two\n/* three */ /** four */ $CFG->a = 1; // five ?>\n<html>\n<?php $CFG->b = 2 ?>\n\n":                                                           "a=1 b=2",
		`#[Attr(1)] function f() {} $CFG->a = 1;`:                                                                                                                    "a=1",
		`declare(strict_types=1); use Foo\Bar; use function A\b; $CFG->a = 1;`:                                                                                       "a=1",
		`echo 'x', 'y'; print 'z'; @ini_set('a', 'b'); $CFG->a = 1;`:                                                                                                 "a=1",
		`$CFG->a = 1; require_once(__DIR__ . '/lib/setup.php'); $CFG->a = 2;`:                                                                                        "a=1",
		`$CFG->a = 1; require_once($CFG->dirroot . '/lib/setup.php'); $CFG->a = 2;`:                                                                                  "a=1",
		`$CFG->a = 1; require_once(__DIR__ . '/public/lib/setup.php');`:                                                                                              "a=1",
		`$CFG->a = 1; require_once(time() . '/lib/setup.php'); $CFG->a = 2;`:                                                                                         "a=1",
		`$CFG->a = 1; return; $CFG->a = 2;`:                                                                                                                          "a=1",
		// Unknown conditions.
		`if (time()) { $CFG->a = 1; $CFG->b = 1; } else { $CFG->a = 1; $CFG->b = 2; }`:                                                                    "a=1 b=?",
		`$CFG->a = 1; $CFG->c = 1; if (time()) { $CFG->a = 1; $CFG->b = 2; unset($CFG->c); }`:                                                             "a=1 b=? c=?",
		`if (time()) { $CFG->a = 1; } elseif (rand()) { $CFG->a = 1; } else { die('no such site'); }`:                                                     "a=1",
		`defined('MOODLE_INTERNAL') || die(); $CFG->a = 1;`:                                                                                               "a=1",
		`if (!defined('CLI_SCRIPT')) { throw new Exception('x'); } $CFG->a = 1;`:                                                                          "a=1",
		`switch (time()) { case 1: $CFG->a = 1; $CFG->b = 5; break; case 2: $CFG->a = 2; $CFG->b = 5; break; default: exit(1); }`:                         "a=? b=5",
		`if (time()) { $CFG->a = 1; require_once(__DIR__ . '/lib/setup.php'); } $CFG->a = 2; $CFG->b = 1;`:                                                "a=? b=?",
		`foreach (['a', 'b'] as $h) { if ($h == $_SERVER['HTTP_HOST']) { $CFG->db = $h; break; } } $CFG->x = 1;`:                                          "db=? x=1",
		`while (time()) { $CFG->a = 1; } $CFG->b = 2;`:                                                                                                    "a=? b=2",
		`$n = 0; while (time()) { $n++; } $CFG->n = $n;`:                                                                                                  "n=?",
		`foreach (glob('/x/*') as $f) { $CFG->files[] = $f; } $CFG->b = 1;`:                                                                               "files=? b=1",
		`function f() { if (time()) { return 'a'; } return 'b'; } $CFG->a = f(); function g() { if (time()) { return 'a'; } return 'a'; } $CFG->b = g();`: `a=? b="a"`,
		`if (time() && ($CFG->a = 1)) { } $CFG->b = 1;`:                                                                                                   "a=? b=1",
		`$CFG->a = 1; $x = &$CFG->a; $x = 2;`:                                                                                                             "a=?",
		`$CFG->a = [1]; sort($CFG->a); preg_match('/x/', 'x', $m); $CFG->b = $m[0];`:                                                                      "a=? b=?",
		`$CFG->a = ['x' => 1, 'y' => 2]; if (time()) { $CFG->a['x'] = 5; } `:                                                                              "a=[x:?,y:2]",
		`$CFG->a = ['x' => 1]; $CFG->a[time()] = 5;`:                                                                                                      "a=?",
		`$CFG->a = 1; ${time()} = 5; $CFG->b = 1;`:                                                                                                        "a=? b=1 and others",
		`$CFG->a = 1; eval('$CFG->a = 2;'); $CFG->b = 1;`:                                                                                                 "a=? b=1 and others",
		`$CFG->a = 1; extract($_POST); $CFG->b = 1;`:                                                                                                      "a=? b=1 and others",
		`$CFG->a = 1; Foo::configure($CFG); $CFG->b = 1;`:                                                                                                 "a=? b=1 and others",
		`class Foo { static function f() { global $CFG; $CFG->a = 2; } } $CFG->a = 1; Foo::f(); $CFG->b = 1;`:                                             "a=? b=1 and others",
		`class Foo { static function f() { return 1; } } $CFG->a = 1; Foo::f(); $CFG->b = 1;`:                                                             "a=1 b=1",
		`$c = function () use ($CFG) { $CFG->a = 2; }; $CFG->a = 1; usort($x, $c); $CFG->b = 1;`:                                                          "a=? b=1",
		`$CFG->a = 1; array_walk($list, function ($x) { $GLOBALS['CFG']->a = 2; }); $CFG->b = 1;`:                                                         "a=? b=1",
		`$CFG->a = 1; usort($x, fn($a, $b) => $a <=> $b); $CFG->b = array_map(fn($x) => trim($x), [' a ', 'b']);`:                                         `a=1 b=["a","b"]`,
		`$CFG->a = array_filter(['x' => '', 'y' => 1]); $CFG->b = array_map('trim', [' a']); $CFG->c = call_user_func('trim', ' c');`:                     `a=[y:1] b=["a"] c="c"`,
		`if (time()) { function f() { return 1; } } else { function f() { return 2; } } $CFG->a = 1; $CFG->b = f(); $CFG->c = 1;`:                         "a=? b=? c=1 and others",
		`if (time()) { function f() { } } if (function_exists('f')) { $CFG->a = 1; }`:                                                                     "a=?",
		`$CFG->a = 1; function f() { yield 1; yield; } $CFG->b = f();`:                                                                                    "a=? b=? and others",
		`if (isset($argv)) { $CFG->a = 1; } $CFG->b = getenv('HTTP_HOST'); $CFG->c = getenv('HTTP_PROXY');`:                                               "a=? b=? c=false",
		// Files.
		`$CFG->a = 1; require __DIR__ . '/there.php'; $x = include('there.php'); $CFG->c = $x['k']; include_once 'there.php';`: `a=1 t="there" c="v"`,
		`$CFG->a = 1; @include '/etc/moodle.php'; $CFG->b = 1;`:                                                                "a=? b=1 and others",
		`$CFG->a = 1; include 'none.php'; $CFG->b = 1;`:                                                                        "a=1 b=1",
		`$CFG->a = 1; include $_SERVER['HTTP_HOST'] . '.php'; $CFG->b = 1;`:                                                    "a=? b=1 and others",
		`$CFG->a = 1; include 'broken.php'; $CFG->b = 1;`:                                                                      "a=? b=1 and others",
		`if (file_exists(__DIR__ . '/there.php')) { require 'there.php'; } else { require 'none.php'; }`:                       `t="there"`,
		`if (time()) { require_once 'there.php'; die; } require_once 'there.php'; require_once 'there.php';`:                   `t="there"`,
		`include 'loop.php'; $CFG->b = 1;`:                                                                                     "b=1 and others",
	} {
		got, err := run(t, "<?php\n$CFG = new stdClass(); "+code, "/site/there.php", `<?php $CFG->t = 'there'; return ['k' => 'v'];`,
			"/site/broken.php", "<?php $CFG->a = ;", "/site/loop.php", "<?php include 'loop.php';")
		if err != nil || got != want {
			t.Errorf("%s\ngot  %s, %v\nwant %s", code, got, err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for code, want := range map[string]string{
		"<?php\n$CFG->a = 's3cret' 'x';":                    "/site/config.php:2: unexpected a string instead of ;",
		"<?php\n$CFG->a = 'it's3cret'; //'":                 "/site/config.php:2: unexpected a name instead of ;",
		"<?php\n\n$a = 's3cret":                             "/site/config.php:3: a string that begins with ' does not end",
		"<?php $a = \"s3cret {$x":                           "/site/config.php:1: an expression in a string does not end",
		"<?php /* s3cret":                                   "a comment that begins with /* does not end",
		"<?php $a = `rm -rf s3cret`;":                       "a command in backquotes is never run",
		"<?php if ($a) { ":                                  "unexpected the end of the file before }",
		"<?php $a = <<<X\ns3cret\n":                         "a text that begins with <<<X does not end",
		"<?php\ndie('s3cret');":                             "/site/config.php:2: the file ends here with exit, die or throw",
		"<?php require 'none.php';":                         "/site/config.php:1: the required file /site/none.php does not exist",
		"<?php while (true) { $a = 1; }":                    "evaluating the file takes too many steps",
		"<?php f(); function f() { f(); f(); }":             "evaluating the file takes too many steps",
		"<?php $a = " + strings.Repeat("(", 500):            "the code is nested too deeply",
		"<?php $a = 1" + strings.Repeat(" + 1", 5000) + ";": "more than 3000 operators",
		"<?php " + strings.Repeat("if (1) ", 1000) + ";":    "the code is nested too deeply",
		"<?php goto x;":                                     "goto is not supported",
		"<?php f() = 1;":                                    "a value is assigned to what is no variable",
	} {
		got, err := run(t, code)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%.60s\ngot  %v (%s)\nwant %s", code, err, got, want)
		}
	}
}
