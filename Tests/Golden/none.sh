# servers: none
# Without a server.
replctl servers
replctl servers --json
for command in ping describe 'eval 1' 'doc x' 'source x' sessions threads interrupt 'disconnect 1' 'bg 1' jobs \
  'output %1' 'fg %1' 'kill %1' halt 'ping --each'; do
  replctl $command 2>&1 || echo "exit $?"
done
replctl wait --timeout 0.2 || echo "exit $?"
replcomplete x || echo "exit $?"
