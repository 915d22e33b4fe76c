# servers: one two silent
# --each: one server that never answers keeps nobody from the others.
replctl --each --timeout 0.5 ping || echo "exit $?"
replctl --each --timeout 0.5 ping --json || echo "exit $?"
replctl --each --timeout 0.5 eval 1/0 2>&1 || echo "exit $?"
replctl --each --timeout 0.5 fg %9 || echo "exit $?"
