# Jobs: started, listed, followed, waited for, killed.
replctl jobs
replctl bg 'print("one"); work(3)'
replctl bg 'print("two"); 1/0' --json
printf 'loop()' | replctl bg -
replctl fg %1
replctl fg 2 || echo "exit $?"
replctl output %1
replctl output %1 --json
replctl output --follow 1
until [ -n "$(replctl output %3)" ]; do :; done
replctl jobs
replctl jobs --no-header | cut -f1,2,8
replctl jobs --json
replctl fg %3 --timeout 0.3 || echo "exit $?"
replctl output %3 --follow --timeout 0.3 || echo "exit $?"
replctl interrupt
replctl fg %3 || echo "exit $?"
replctl fg %3 --json || echo "exit $?"
replctl kill %3
echo '-- kill'
replctl bg 'loop()' 'held()'
until [ -n "$(replctl output %4)" ] && [ -n "$(replctl output %5)" ]; do :; done
replctl kill %4 5 %99 || echo "exit $?"
replctl fg 5 || echo "exit $?"
replctl kill --json %5 || echo "exit $?"
replctl eval 'gate.set()'
replctl bg 'two words' && replctl fg %6 || echo "exit $?"
replctl bg 'raise SystemExit(3)' && replctl fg %7 || echo "exit $?"
replctl bg 'input()' && replctl fg %8 || echo "exit $?"
for words in 'fg %99' 'output 99' 'kill %99' 'interrupt %99' 'fg' 'fg x' 'kill' 'bg' 'output %' 'fg %99999999999999999999'; do
  replctl $words || echo "exit $?"
done
