# Code from the command line, from files and from standard input; its output, value and failure.
replctl eval 'work(3)'
replctl eval 'x = 1' 'x += 1' 'x'
replctl eval 'print("out"); import sys; print("err", file=sys.stderr)' 2>&1
replctl eval 'print("no newline", end=""); 5'
replctl eval None
replctl eval ''
replctl eval -
replctl eval - <<'CODE'
def twice(n):
    return 2 * n

twice(21)
CODE
echo 'print("from a file")' > code.py
replctl eval -f code.py 'print("from the line")' --file=code.py
echo '"from a pipe"' | replctl eval -f -
printf '\357\273\277"a byte order mark"' | replctl eval -
replctl eval '"ž 😀"' "'a\\tb'"
replctl eval -- '-1'
printf 'one\ntwo' | replctl eval 'print(input("? ") + input())'
replctl eval 'input()' < /dev/null || echo "exit $?"
replctl eval --main-thread 'threading.current_thread() is threading.main_thread()'
replctl eval 'threading.current_thread() is threading.main_thread()'
replctl eval 'account.pay(200)' 'raise SystemExit(7)' 'print("never")'
echo '-- failures'
replctl eval 'work()' || echo "exit $?"
replctl eval 'print(1); 1/0' 'print("never")' || echo "exit $?"
replctl eval 'two words' || echo "exit $?"
replctl eval 'if 1:
  pass
 pass' || echo "exit $?"
replctl eval 'class Bad(list): __repr__ = list.pop' 'Bad()' || echo "exit $?"
replctl eval 'raise KeyboardInterrupt' || echo "exit $?"
replctl eval 'raise SyntaxError("mine")' || echo "exit $?"
replctl eval 'class Bad:
    def __repr__(self): raise ValueError("unshown")
Bad()' || echo "exit $?"
replctl eval --timeout 0.3 'while True: pass' || echo "exit $?"
replctl eval -s 99 1 || echo "exit $?"
