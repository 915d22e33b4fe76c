# ends: yes
# The end of a server, taken back and not.
replctl halt --cancel
replctl halt --cancel --json
replctl halt --now --cancel || echo "exit $?"
replctl eval 'loop()' > loop.out 2>&1 &
until [ -s loop.out ]; do :; done
replctl halt
replctl halt --json
replctl halt --cancel
replctl halt --now
wait $! || echo "exit $?"
sed 's/at .* closed/at PLACE closed/' loop.out
