# Command lines that are wrong: one line that says what to do, and 64.
for words in '' pnig frobnicate 'ping x' 'ping --bogus' 'ping --timeout' 'ping --timeout 0' 'ping --timeout -1' \
  'ping --timeout nan' 'ping --timeout 0x1' 'ping --timeout 1e3' 'ping --timeout inf' 'eval' 'eval - -' 'eval -f - -' 'eval -f nowhere.py' \
  'eval -f .' 'eval -s x 1' 'doc' 'doc a b' 'threads --stack' 'halt now' 'bg' 'help pnig' '-x' '--timeout' '-t' \
  'interrupt 1 2' 'interrupt -1' 'disconnect -1' 'servers -t name:app' 'wait --each'; do
  replctl $words 2>&1 || echo "exit $?"
done
printf '\377' | replctl eval - || echo "exit $?"
head -c 1048577 /dev/zero | tr '\0' 1 | replctl eval - || echo "exit $?"
head -c 600000 /dev/zero | replctl eval - 2>&1 || echo "exit $?"
replctl "$(printf 'x\033[2J\ny')" || echo "exit $?"
replctl ping "$(printf 'x\033[2J\ny')" || echo "exit $?"
replctl ping --timeout "$(printf '\033[2J\ny')" || echo "exit $?"
