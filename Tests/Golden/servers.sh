# servers: one two silent
# The list of servers; one of them holds its lock, takes connections and never answers.
replctl servers --timeout 0.3
replctl servers --timeout 0.3 --no-header | cut -f2,3
replctl servers --timeout 0.3 --json
replctl ping || echo "exit $?"
replctl -t name:silent --timeout 0.3 ping || echo "exit $?"
replctl servers --each || echo "exit $?"
