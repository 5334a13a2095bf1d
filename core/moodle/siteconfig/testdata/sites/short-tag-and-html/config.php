#!/usr/bin/env php
<? $CFG = new stdClass; $CFG->dbtype='mysqli';$CFG->dbhost='db';$CFG->dbname='m';$CFG->dbuser='u';$CFG->dbpass='p' ?>
<? $CFG->dataroot='/d'; $CFG->wwwroot='http://h' ?>
