<?php
///////// Moodle 1.9 style
unset($CFG);
$CFG->dbtype    = 'mysqli';
$CFG->dbhost    = 'localhost:/var/run/mysqld/other.sock';
$CFG->dbname    = 'moodle';
$CFG->dbuser    = 'root';
$CFG->dbpass    = '';
$CFG->dbpersist =  false;
$CFG->prefix    = '';
$CFG->wwwroot   = 'http://localhost/moodle/';
$CFG->dirroot   = '/var/www/moodle';
$CFG->dataroot  = '/var/moodledata/';
$CFG->directorypermissions = 00777;  // try 02777 on a server in Safe Mode
$CFG->admin = 'admin';
require_once("$CFG->dirroot/lib/setup.php");
