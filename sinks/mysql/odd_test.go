package mysql

// odd creates tables with unusual properties of real sites: every type at its limits,
// awkward names, keys of every kind. It runs on MySQL and MariaDB.
var odd = []string{
	"CREATE TABLE mdl_types (" +
		"id bigint NOT NULL AUTO_INCREMENT, ti tinyint, tu tinyint unsigned, si smallint, mi mediumint unsigned, i int, iu int unsigned, b bigint, bu bigint unsigned, zf int(8) unsigned zerofill," +
		"de decimal(65,30), d2 decimal(10,5), dz decimal(8,2) unsigned zerofill, f float, db double, f7 float(7,4)," +
		"c char(10), v varchar(100), vl varchar(50) CHARACTER SET latin1 COLLATE latin1_german1_ci, tt tinytext, t text, mt mediumtext, lt longtext, vb varbinary(300), bi binary(4), lb longblob," +
		"b1 bit(1), b64 bit(64), d date, tm time, tm6 time(6), dt datetime, dt3 datetime(3), dt6 datetime(6), ts timestamp NULL, y year," +
		"e enum('a','b,c','it''s','') , s set('x','y','z'), j json, g geometry, PRIMARY KEY (id)) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci COMMENT 'odd ''types'''",
	`INSERT INTO mdl_types (id) VALUES (1)`,
	`INSERT INTO mdl_types VALUES (-5,-128,0,-32768,0,-2147483648,0,-9223372036854775808,0,7,-0.000000000000000000000000000001,-1.5,1.5,-0.0,-0.0,1.1,'','','','','','','','','','',b'0',b'0','0000-00-00','-838:59:59','-00:00:00.000001','0000-00-00 00:00:00','2024-00-15 01:02:03.100','0009-12-04 00:00:00.000001','1970-01-01 00:00:01',1901,'a','','null',ST_GeomFromText('POINT(1 2)'))`,
	`INSERT INTO mdl_types VALUES (9223372036854775806,127,255,32767,16777215,2147483647,4294967295,9223372036854775807,18446744073709551615,4294967295,99999999999999999999999999999999999.999999999999999999999999999999,99999.99999,999999.99,3.4028234663852886e38,1.7976931348623157e308,999.9999,
		'trail   ','trail   ','äöüß€', 'x\0y', '\\N', 'tab\tnl\ncr\rquote''dq"bs\\', REPEAT('😀a',70000), UNHEX('000102030405060708090A0B0C0D0E0F275C22FF'), UNHEX('00000000'), UNHEX(REPEAT('00FF5C27090A0D',20000)),
		b'1', b'1111111111111111111111111111111111111111111111111111111111111111','9999-12-31','838:59:59','838:59:58.999999','9999-12-31 23:59:59','2024-02-29 12:00:00.120','9999-12-31 23:59:59.999999','2038-01-19 03:14:07',2155,'it''s','x,y,z','{"a": [1, 2.5, "\\u00e9 😀", null], "b": {"c": true}}',ST_GeomFromText('LINESTRING(0 0,1.5 1,2 -7)', 0))`,
	`INSERT INTO mdl_types (id,f,db,f7,v,e,y,b64,tm,bu,lt) VALUES (7,1.1234568,5e-324,-0.0001,'\\N',  '', 0, b'1000000000000000000000000000000000000000000000000000000000000001','00:00:00',9223372036854775808,'\\\\N\\t\n'),
		(8,1e-45,1e-7,0,'\'', 'b,c', 2155, b'101', '12:00:00', 1,'%_\Z\b'),(9,16777216,0.1,0,'Ω̃\u200b','a',1901,b'0','00:00:01',2,'')`,
	"CREATE TABLE `mdl_Group-Key old` (`order` int NOT NULL, `group` varchar(20) NOT NULL DEFAULT 'it''s \\\\', `Key` int DEFAULT 5 COMMENT 'c''o', `a``b` text, `na me` datetime DEFAULT CURRENT_TIMESTAMP, `ts` timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3), bt bit(4) DEFAULT b'101', bn binary(3) DEFAULT 'ab', en enum('x','y') DEFAULT 'y', fd float DEFAULT 0.1, ex varchar(36) DEFAULT (uuid()), PRIMARY KEY (`order`,`group`), KEY `a index` (`a``b`(20)), KEY `de sc` (`Key` DESC, `group`(3)), UNIQUE KEY uq (`Key`,`na me`), FULLTEXT KEY ft (`a``b`), FULLTEXT KEY ft2 (`a``b`, `group`)) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci ROW_FORMAT=COMPRESSED",
	"INSERT INTO `mdl_Group-Key old` (`order`,`group`,`Key`,`a``b`) VALUES (1,'a',1,'one'),(1,'b',2,'two'),(-1,'z',NULL,NULL)",
	`CREATE TABLE mdl_nopk (a int, b varchar(10)) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci`,
	`INSERT INTO mdl_nopk VALUES (1,'x'),(1,'x'),(NULL,NULL),(2,'ü')`,
	`CREATE TABLE mdl_empty (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(255) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL) AUTO_INCREMENT=777`,
	`CREATE TABLE mdl_seqkey (grp int NOT NULL, n bigint NOT NULL AUTO_INCREMENT, PRIMARY KEY (grp), KEY seqkey (n)) AUTO_INCREMENT=1000`,
	`INSERT INTO mdl_seqkey VALUES (0,0),(1,9),(2,10)`,
	`CREATE TABLE mdl_textkey (code varchar(32) COLLATE utf8mb4_unicode_ci NOT NULL PRIMARY KEY, u varchar(40) COLLATE utf8mb4_unicode_ci NOT NULL, UNIQUE KEY u (u)) COLLATE utf8mb4_bin`,
	`INSERT INTO mdl_textkey VALUES ('','a'),('a','ß-ö'),('B','c')`,
	`CREATE TABLE mdl_geo (id int PRIMARY KEY, p point NOT NULL, SPATIAL KEY sp (p))`,
	`INSERT INTO mdl_geo VALUES (1, ST_GeomFromText('POINT(1 2)'))`,
	`CREATE TABLE mdl_big (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, txt longtext)`,
	`INSERT INTO mdl_big VALUES (1, REPEAT('0123456789', 1000000)), (9223372036854775806, 'last'), (2, 'second')`,
	`CREATE TABLE mdlx_not_ours (id int)`,
	`CREATE TABLE mdl (id int)`,
}
