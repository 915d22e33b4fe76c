# replcomplete in every form of output.
replcomplete acc
replcomplete account.
replcomplete 'account.pa' --kind
replcomplete --doc --kind wor
replcomplete --json wor
replcomplete --json --doc 'account.p'
replcomplete 'work(1, un'
replcomplete 'config["m'
replcomplete 'import threadin'
echo '-- --line'
replcomplete --line 'x = acc + 1' --cursor 7
replcomplete --line 'x = acc'
replcomplete --line '"😀😀"; acc  # later' --cursor 9
replcomplete --line '"😀😀"; acc  # later' --cursor 8 --json
replcomplete --line 'acc' --cursor 0 | grep -c '^account$'
replcomplete --line '-1 + acc'
echo '-- none'
for words in nothing_like_it account.nothing '"text' '--line=# acc'; do
  replcomplete "$words" || echo "exit $?"
done
replcomplete --json nothing_like_it || echo "exit $?"
echo '-- usage'
replcomplete || echo "exit $?"
replcomplete a b || echo "exit $?"
replcomplete --line a b || echo "exit $?"
replcomplete --cursor 1 a || echo "exit $?"
replcomplete --line abc --cursor 4 || echo "exit $?"
replcomplete --line abc --cursor -1 || echo "exit $?"
replcomplete --line '😀' --cursor 2 || echo "exit $?"
replcomplete --timeout 0 a || echo "exit $?"
replcomplete -t name:other a || echo "exit $?"
