dbtype=mysqli
