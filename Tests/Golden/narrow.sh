# servers: fake
# terminal: 20
# The tables on a terminal that is too narrow for them.
replctl jobs
replctl threads
replctl servers --no-header
