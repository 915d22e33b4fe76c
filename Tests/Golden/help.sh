# Help and versions.
replctl --version
replcomplete --version
replctl --help
replctl help eval
[ "$(replctl eval --help)" = "$(replctl help eval)" ]
[ "$(replctl help)" = "$(replctl --help)" ]
[ "$(replctl -h)" = "$(replctl --help)" ]
for command in ping wait servers describe eval doc source sessions threads interrupt disconnect bg jobs output fg kill halt relay; do
  replctl $command --help | sed -n '1p'
done
