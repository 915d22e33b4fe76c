"""The program that the golden tests reach into: a few names of every kind, then nothing to do."""

import threading
import time


class Account:
    """Money of somebody."""

    fee = 1

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance

    def pay(self, amount):
        """Take some of it."""
        self.balance -= amount + self.fee
        return self.balance

    @property
    def state(self):
        raise AssertionError("nobody may ask this for a Tab")


def work(a, b=2, *, unit="m"):
    """Multiply.

    The unit is only shown.
    """
    return f"{a * b} {unit}"


account = Account("Karel", 100)
config = {"mode": "fast", "max size": 10}
gate = threading.Event()


def held():
    """Wait, whatever interrupts."""
    print("held", flush=True)
    while not gate.is_set():
        try:
            gate.wait()
        except KeyboardInterrupt:
            pass
    return "free"


def loop():
    print("looping", flush=True)
    while True:
        time.sleep(0)


print("ready", flush=True)
