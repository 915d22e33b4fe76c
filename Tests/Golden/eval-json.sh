# eval --json: one document for each piece of code.
replctl eval --json 'work(3)' 'print("out")' 'import sys; print("err", file=sys.stderr)' 'None'
replctl eval --json 'sys.stdout.buffer.write(b"\xff\x00\x1b[2J")'
replctl eval --json 'raise SystemExit' '1'
replctl eval --json '1/0' '1' || echo "exit $?"
replctl eval --json 'two words' || echo "exit $?"
replctl eval --json --timeout 0.3 'loop()' || echo "exit $?"
replctl eval --json -s 99 1 || echo "exit $?"
