# What is known of a name, and its source.
for name in work account account.pay Account Account.state config len int threading.Event for os.path; do
  echo "== $name"
  replctl doc $name | sed '/^$/q'
done
replctl doc work
replctl doc work --json
for name in nothing work.nothing '1 +' '' 'work()'; do
  replctl doc "$name" || echo "exit $?"
done
echo '-- source'
replctl source work
replctl source Account.pay
replctl source account.pay --json
replctl source len || echo "exit $?"
replctl source nothing || echo "exit $?"
replctl eval 'def mine():
    return 1'
replctl source mine
