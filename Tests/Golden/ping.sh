# ping in every form of output.
replctl ping
replctl ping --json
replctl --json ping
replctl wait
replctl wait --json --timeout 5
