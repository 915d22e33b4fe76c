# servers: none
# What others could have put there is not used.
mkdir -p "$XDG_RUNTIME_DIR/repltools"
chmod 777 "$XDG_RUNTIME_DIR/repltools"
replctl servers || echo "exit $?"
replctl ping || echo "exit $?"
replctl -t name:app ping || echo "exit $?"
replctl --each ping || echo "exit $?"
replctl wait --timeout 1 || echo "exit $?"
replcomplete x || echo "exit $?"
mkdir open
chmod 777 open
replctl -t "unix:$PWD/open/socket" ping || echo "exit $?"
