# What a server says of itself.
replctl describe | grep -v '^limits:'
replctl describe --json | sed 's/"limits":.*//'
