"""A small service that does its sums wrong: something to look into, and to patch while it runs.

Every second it takes an order and adds what it costs to `income`. Started with `make run`, it has a prompt beside it.
"""

import random
import time

PRICES = {"apples": 2.0, "pears": 3.0, "quinces": 5.0}

#: What was ordered: (fruit, count), the oldest first.
orders = []
income = 0.0


def cost(fruit, count):
    """What an order costs. Ten or more of a fruit are to be a tenth cheaper."""
    price = PRICES[fruit] * count
    return price * 0.1 if count >= 10 else price


def take_order():
    """Take one order, and add what it costs to the income."""
    global income
    order = random.choice(list(PRICES)), random.randint(1, 20)
    orders.append(order)
    income += cost(*order)


def main():
    while True:
        take_order()
        time.sleep(1)


if __name__ == "__main__":
    main()
