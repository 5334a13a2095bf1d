<?php
$version = 2025100600.00;
