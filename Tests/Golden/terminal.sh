# servers: fake
# terminal: 60
# The tables for people: aligned, the last column cut to the width; a server of fixed answers gives the rows.
replctl sessions
replctl jobs
replctl threads
replctl threads --no-header
replctl --each jobs
replctl servers
replctl sessions --json
replctl jobs | cat
replctl interrupt 1
replctl eval 'work()'
