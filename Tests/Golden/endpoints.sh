# Every form of ENDPOINT, in -t and in $REPL_TO, and where options may stand.
# ports: app
replctl -t name:app eval 1
replctl -t pid:$APP_PID eval 2
replctl -t unix:$APP_SOCKET eval 3
replctl -t 127.0.0.1:$APP_PORT:$APP_CONTROL eval 4
replctl -t localhost:$APP_PORT:$APP_CONTROL eval 5
replctl --to name:app eval 6
replctl --to=name:app eval 7
replctl eval 8 -t name:app
replctl eval -t name:app 9
replctl --timeout 5 --json --to name:app bg 10 | tr -d 0-9
REPL_TO=name:app replctl eval 11
REPL_TO= replctl eval 12
REPL_TO=name:other replctl -t name:app eval 13
cd "$(dirname "$APP_SOCKET")"
replctl -t "unix:$(basename "$APP_SOCKET")" eval 14
for to in name:other pid:1 unix:/nowhere 127.0.0.1:1:1 ssh://user:secret@host name: pid:x unix: '' 1:2:3:4 host:99999 '[::1' \
  "$(printf 'name:\033[2J')"; do
  replctl -t "$to" ping 2>&1 || echo "exit $?"
done
REPL_TO=name:other replctl ping || echo "exit $?"
