# The threads of the program, and who holds the interpreter.
replctl threads | head -1
replctl threads --no-header | cut -f2,3 | grep -v completer
replctl threads --stacks | grep 'MainThread: S$' | sed 's/[0-9][0-9]*/N/'
replctl threads --json | sed 's/"threads":.*//'
replctl bg 'import os, re
while not os.path.exists("'"$PWD"'/go"): time.sleep(0.01)
re.match("(a+)+b", "a" * 40)'
touch go
until replctl threads 2>&1 | grep -q 'is held'; do :; done
replctl threads 2>&1 > threads.out | sed 's/for [0-9.]* s/for N s/'
grep -c 'job %1' threads.out
replctl ping > /dev/null
replctl interrupt || echo "exit $?"
replctl eval --timeout 0.3 1 2>&1 || echo "exit $?"
