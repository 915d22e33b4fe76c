# servers: one two
# --each: every server in turn.
replctl --each ping
replctl ping --each --json
replctl --each eval 'print("a\nb", end=""); 1' 'print("c", end="")'
replctl --each eval 'import sys; print("e\nf", file=sys.stderr)' 2>&1
replctl --each eval --json 1 2
replctl --each jobs
replctl --each sessions --no-header
replctl --each describe | grep -E 'instance:|protocol:'
replctl --each eval 'import os; assert os.getpid() != '"$ONE_PID, 'first'" 2>&1 || echo "exit $?"
replctl --each eval 'import os
if os.getpid() == '"$TWO_PID"': raise ValueError("second")' 2>&1 || echo "exit $?"
replctl --each fg %9 || echo "exit $?"
replctl --each -t name:one ping || echo "exit $?"
REPL_TO=name:one replctl --each eval 1
echo 6 | replctl --each eval -
replctl --each wait || echo "exit $?"
replctl ping || echo "exit $?"
