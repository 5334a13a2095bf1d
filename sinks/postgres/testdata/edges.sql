-- What a real schema may hold beside what Moodle makes.

CREATE TYPE "mdl_Mood's" AS ENUM ('', 'sad', 'it''s ok', 'Happy, very');
CREATE TYPE plainmood AS ENUM ('b', 'a');
CREATE DOMAIN shortname AS varchar(20) NOT NULL CHECK (value <> 'x');

CREATE TABLE mdl_types (
  id bigserial PRIMARY KEY,
  i2 smallint, i4 integer, i8 bigint,
  nu numeric, n38 numeric(38,18), n5 numeric(5,0),
  f4 real, f8 double precision,
  bo boolean,
  vc varchar(255), vu varchar, ch char(10), c1 "char", tx text, nm name,
  by bytea,
  b1 bit(1), b8 bit(8), vb bit varying(16),
  da date, ti time, t3 time(3), tz time with time zone,
  ts timestamp, s0 timestamp(0), sz timestamptz, z3 timestamptz(3),
  iv interval,
  js json, jb jsonb, uu uuid, ip inet, ci cidr, ma macaddr,
  ia integer[], ta text[], fa double precision[],
  po point, mo money, xm xml, tv tsvector, ir int4range, oi oid,
  en "mdl_Mood's", ep plainmood,
  dm shortname
);
INSERT INTO mdl_types (id, dm) VALUES (1, 'nothing else');
INSERT INTO mdl_types VALUES (2,
  -32768, -2147483648, -9223372036854775808, '-1e-30', '-12345678901234567890.123456789012345678', -99999,
  'NaN', 'NaN', true,
  repeat('ü', 255), '', 'ab', '"', E'tab\there', 'pg_name',
  decode(repeat('00', 3), 'hex'), B'1', B'10000001', B'101',
  '0001-01-01', '00:00', '00:00:00.001', '12:00:00.5+02',
  '0009-12-04 00:00:00.000001', '2024-01-01 00:00:00', '2024-03-31 01:30:00+00', '1969-12-31 23:59:59.999+00',
  '-1 year 2 mons -3 days 04:05:06.789', ' {"b":1,"a":{"b":1,  "b":2}} ', '{"b":1,"a":"\u00e9"}',
  'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '192.168.1.5/24', '10.0.0.0/8', '08:00:2b:01:02:03',
  '{1,NULL,3}', E'{"a,b","c\\"d",NULL,"NULL","back\\\\slash"}', '{0.1,1e-7,NaN}',
  '(1.5,-2)', '12.34', '<a>&lt;</a>', '''it''''s'' fat', '[1,10)', 4294967295,
  '', 'a', 'd');
INSERT INTO mdl_types VALUES (3,
  32767, 2147483647, 9223372036854775807, 'NaN', 0.1, 99999,
  '1e-7', 5e-324, false,
  E'back\\slash \\N \\. \\x41 "quoted" ''single''', E'line\nfeed\r\nand return', '          ', '\', E'\\N', '',
  '', B'0', B'00000000', B'',
  '9999-12-31', '24:00:00', '23:59:59.999', '00:00:00-15:59',
  'infinity', '0044-03-15 12:00:00 BC', '-infinity', '0001-01-01 00:00:00+00 BC',
  '838:59:59', 'null', 'null', '00000000-0000-0000-0000-000000000000', '::1', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff',
  '{}', '{}', '{}', '(Infinity,NaN)', '-0.01', '', '', 'empty', 0,
  'Happy, very', 'b', 'e');
INSERT INTO mdl_types (id, f4, f8, nu, n38, ch, dm)
  SELECT 100 + i, v::real, v::double precision, (v::numeric * 3), 0, repeat('x', (i % 11)::int) || repeat(' ', 2), 'f'
  FROM unnest(ARRAY['0','-0','1','0.1','0.3','1e6','123456','1234567','1e15','1e16','1e20','1e21','1e22','9007199254740993','1.7976931348623157e38',
    '3.4028235e38','1e-4','1e-5','1.1754944e-38','0.30000000000000004','100000000000000000000','123456789.125','-2.5e-7','33554432','16777217']) WITH ORDINALITY x (v, i);
INSERT INTO mdl_types (id, f8, dm) VALUES (200, 'Infinity', 'g'), (201, '-Infinity', 'h'), (202, 1.7976931348623157e308, 'i'), (203, 2.2250738585072014e-308, 'j');
INSERT INTO mdl_types (id, f4, dm) VALUES (210, 'Infinity', 'g'), (211, '-Infinity', 'h'), (212, 1e-45, 'i');
-- Every byte, and every character that COPY or a terminal could trip over.
INSERT INTO mdl_types (id, by, dm) VALUES (300, decode((SELECT string_agg(lpad(to_hex(i), 2, '0'), '') FROM generate_series(0, 255) i), 'hex'), 'all bytes');
INSERT INTO mdl_types (id, tx, vc, dm) SELECT 1000 + i, 'a' || chr(i::int) || 'b' || chr(i) || chr(i), chr(i), 'c' FROM generate_series(1, 255) i;
INSERT INTO mdl_types (id, tx, vc, dm) VALUES
  (2000, U&'\+01F600 \+02070E \+10FFFD \200D\FEFF\00A0 \2028', U&'\+01F600', 'emoji'),
  (2001, E'\b\f\v\\b\\f\\v\\\b', E'\\', 'escapes'),
  (2002, E'\\\\\\\\t\t\\t', E'\t', 'tabs'),
  (2003, '', NULL, 'empty'),
  (2004, repeat(E'long \\ line\n', 200000), 'x', 'long');
SELECT setval('mdl_types_id_seq', 5000);

-- Names.
CREATE TABLE "mdl_Order by" ("Id" serial PRIMARY KEY, "select" int, "Group" text DEFAULT 'it''s', "a b" text, "x-y" int, "qu""ote" text, "ünï" text, "user" text, "timestamp" bigint, "a.b" int, "%s" int);
INSERT INTO "mdl_Order by" ("select", "a b", "qu""ote", "ünï") VALUES (1, 'x', '"', 'ü'), (2, NULL, NULL, NULL);
CREATE INDEX "mdl_Weird Index" ON "mdl_Order by" ("Group", "qu""ote" DESC);
CREATE TABLE "mdl_tablename-old" (id bigint PRIMARY KEY, "order" text);
INSERT INTO "mdl_tablename-old" VALUES (-5, 'minus'), (0, 'zero'), (9223372036854775807, 'max'), (-9223372036854775808, 'min');
CREATE TABLE mdl_user (id bigserial PRIMARY KEY, username varchar(100) DEFAULT '' NOT NULL);
CREATE UNIQUE INDEX mdl_user_use_uix ON mdl_user (username);
INSERT INTO mdl_user (username) VALUES ('a'), ('A'), ('ä'), ('a ');

-- Keys.
CREATE TABLE mdl_composite (a text, c int, b int, d text, PRIMARY KEY (b, a));
INSERT INTO mdl_composite VALUES ('x', 1, 2, 'q'), ('X', NULL, 2, NULL), ('', 1, 1, 'r');
CREATE TABLE mdl_nopk (code varchar(32) NOT NULL, val text);
INSERT INTO mdl_nopk VALUES ('twice', NULL), ('twice', NULL), ('', ''), ('once', 'x');
CREATE TABLE mdl_uniqueonly (a int, b int UNIQUE);
INSERT INTO mdl_uniqueonly VALUES (1, NULL), (1, NULL), (1, 3);
CREATE TABLE mdl_nocolumns ();

-- Sequences.
CREATE TABLE mdl_called (id bigserial PRIMARY KEY, name text);
SELECT setval('mdl_called_id_seq', 41, true);
CREATE TABLE mdl_notcalled (id bigserial PRIMARY KEY, name text);
SELECT setval('mdl_notcalled_id_seq', 50, false);
CREATE TABLE mdl_fresh (id bigserial PRIMARY KEY, name text);
CREATE TABLE mdl_behind (id bigserial PRIMARY KEY, name text);
INSERT INTO mdl_behind VALUES (77, 'the sequence stands at 1');
CREATE TABLE mdl_full (id bigserial PRIMARY KEY, name text);
SELECT setval('mdl_full_id_seq', 9223372036854775807, true);
CREATE TABLE mdl_identity (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
INSERT INTO mdl_identity (name) VALUES ('one'), ('two');
CREATE SEQUENCE somebodys_counter START 900;
CREATE TABLE mdl_foreignseq (id bigint DEFAULT nextval('somebodys_counter') PRIMARY KEY, name text);
INSERT INTO mdl_foreignseq (name) VALUES ('900');
CREATE SEQUENCE "mdl_Shared Seq" START 10;
CREATE TABLE mdl_shareda (id int DEFAULT nextval('"mdl_Shared Seq"') PRIMARY KEY);
CREATE TABLE mdl_sharedb (id int DEFAULT nextval('"mdl_Shared Seq"') PRIMARY KEY);
INSERT INTO mdl_shareda DEFAULT VALUES; INSERT INTO mdl_sharedb DEFAULT VALUES;
CREATE SEQUENCE mdl_lateseq START 7;
CREATE TABLE mdl_late (id int DEFAULT nextval(('mdl_lateseq'::text)::regclass) PRIMARY KEY);
CREATE TABLE mdl_oldname (id bigserial PRIMARY KEY, name text);
ALTER TABLE mdl_oldname RENAME TO mdl_newname;
INSERT INTO mdl_newname (name) VALUES ('renamed');

-- Indexes and defaults.
CREATE TABLE mdl_indexed (id bigserial PRIMARY KEY, a int DEFAULT 5, b varchar(50) DEFAULT NULL, c text COLLATE "C" DEFAULT E'a\\b''c', d timestamptz DEFAULT CURRENT_TIMESTAMP,
  e numeric(10,5) DEFAULT -1.5, f double precision DEFAULT 0.1, g boolean DEFAULT true NOT NULL, h date DEFAULT '2024-01-02', i jsonb DEFAULT '{}', j bytea DEFAULT '\x00ff',
  k bigint DEFAULT -9223372036854775808, l text DEFAULT upper('x'), m int[] DEFAULT '{1}', n bit(3) DEFAULT B'101', o char(5) DEFAULT 'ab', p date DEFAULT CURRENT_DATE)
  WITH (fillfactor=70, autovacuum_enabled=false);
COMMENT ON TABLE mdl_indexed IS 'it''s a comment';
COMMENT ON COLUMN mdl_indexed.a IS 'column''s comment';
INSERT INTO mdl_indexed (b) VALUES ('x'), ('y');
CREATE INDEX mdl_inde_ab_ix ON mdl_indexed (a, b DESC);
CREATE INDEX mdl_inde_part_ix ON mdl_indexed (a) WHERE b = 'x';
CREATE INDEX mdl_inde_expr_ix ON mdl_indexed (lower(b), a);
CREATE INDEX mdl_inde_gin_ix ON mdl_indexed USING gin (i);
CREATE INDEX mdl_inde_hash_ix ON mdl_indexed USING hash (b);
CREATE INDEX mdl_inde_nulls_ix ON mdl_indexed (a NULLS FIRST);
CREATE INDEX mdl_inde_incl_ix ON mdl_indexed (a) INCLUDE (b);
CREATE INDEX mdl_inde_b_ix_pattern ON mdl_indexed (b varchar_pattern_ops);
CREATE INDEX mdl_inde_coll_ix ON mdl_indexed (c COLLATE "POSIX");
CREATE UNIQUE INDEX mdl_inde_uniq_uix ON mdl_indexed (id, a);

-- Tables made of tables.
CREATE TABLE mdl_part (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE mdl_part_1 PARTITION OF mdl_part FOR VALUES FROM (0) TO (10);
CREATE TABLE mdl_part_2 PARTITION OF mdl_part FOR VALUES FROM (10) TO (20);
INSERT INTO mdl_part SELECT i, 'p' || i FROM generate_series(0, 19) i;
CREATE TABLE mdl_parent (id bigint PRIMARY KEY, v text);
CREATE TABLE mdl_child (extra text) INHERITS (mdl_parent);
INSERT INTO mdl_parent VALUES (1, 'parent');
INSERT INTO mdl_child VALUES (1, 'child', 'x');
CREATE UNLOGGED TABLE mdl_unlogged (id int PRIMARY KEY);
INSERT INTO mdl_unlogged VALUES (1);

-- What is not carried.
CREATE TABLE mdl_generated (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED, CHECK (id > 0), up int REFERENCES mdl_generated);
INSERT INTO mdl_generated (id) VALUES (1), (2);
CREATE INDEX mdl_gene_twi_ix ON mdl_generated (twice);
CREATE VIEW mdl_view AS SELECT id FROM mdl_user;
CREATE MATERIALIZED VIEW mdl_matview AS SELECT id FROM mdl_user;
CREATE FUNCTION mdl_func() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER mdl_trigger BEFORE INSERT ON mdl_user FOR EACH ROW EXECUTE FUNCTION mdl_func();
CREATE RULE mdl_rule AS ON DELETE TO mdl_nopk DO ALSO NOTHING;
CREATE SEQUENCE mdl_lonely;
CREATE SEQUENCE mdl_stepped;
CREATE TABLE mdl_computed (id bigint PRIMARY KEY DEFAULT nextval('mdl_stepped') + 1000);
INSERT INTO mdl_computed DEFAULT VALUES;

-- What is not of this site.
CREATE TABLE mdlx_trap (id int); CREATE TABLE mdl (id int); CREATE TABLE "MDL_user" (id int); CREATE TABLE other (id int);
CREATE TABLE mdl_old_config (id int); CREATE TABLE mdl_old_config_plugins (id int); CREATE TABLE mdl_old_course (id int); CREATE TABLE mdl_old_user (id int);
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.mdl_types (id int); CREATE TABLE elsewhere.mdl_only_here (id int);
