# Sessions while one evaluates; its interrupt and its end.
replctl sessions
replctl sessions --no-header --json
replctl interrupt
replctl interrupt --json
replctl eval 'loop()' > loop.out 2>&1 &
until [ -s loop.out ]; do :; done
replctl sessions
replctl sessions --no-header | cut -f2,3,8
replctl sessions --json
replctl interrupt
wait $! || echo "exit $?"
cat loop.out
echo '-- several'
rm -f a.out b.out
replctl eval 'loop()' > a.out 2>&1 &
a=$!
until [ -s a.out ]; do :; done
replctl eval 'held()' > b.out 2>&1 &
b=$!
until [ -s b.out ]; do :; done
replctl interrupt || echo "exit $?"
replctl interrupt --all || echo "exit $?"
replctl interrupt --all --json || echo "exit $?"
wait $a || echo "exit $?"
replctl eval 'gate.set()'
wait $b || echo "exit $?"
cat b.out
echo '-- disconnect'
rm -f a.out
replctl eval 'loop()' > a.out 2>&1 &
a=$!
until [ -s a.out ]; do :; done
session=$(replctl sessions --no-header | cut -f1)
replctl disconnect "$session" | sed "s/$session/N/"
wait $a || echo "exit $?"
sed 's/at .* closed/at PLACE closed/' a.out
for words in 99 %1 x '' --all '--all 3'; do
  replctl disconnect $words || echo "exit $?"
  replctl interrupt $words || echo "exit $?"
done
