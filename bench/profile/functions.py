#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""functions.py OPERATIONS FOLDER TRANSPORT OTHER: what an operation over each spends where, by module and by function.

FOLDER/TRANSPORT.counts is what count.c has written; FOLDER/TRANSPORT/report has the guest's symbols.
"""
import bisect
import collections
import pathlib
import subprocess
import sys

TOP = 60
KERNEL_HALF = 1 << 63


def symbols_of(report):
    """Addresses in their order, and (function, module) of each."""
    symbols = {}
    for line in report.read_text().splitlines():
        if line.startswith("symbol "):
            _, address, kind, name, *module = line.split()
            if kind in "tTwW":
                symbols.setdefault(int(address, 16), (name, module[0] if module else "[kernel]"))
    addresses = sorted(symbols)
    return addresses, [symbols[address] for address in addresses]


class Profile:
    """Of one operation: instructions by function, and how often each function was called."""

    def __init__(self, folder, transport, operations):
        self.spent, self.called = collections.Counter(), collections.Counter()
        addresses, names = symbols_of(folder / transport / "report")
        runs, *lines = (folder / f"{transport}.counts").read_text().splitlines()
        for line in lines:
            address, times = line.split()
            address, times = int(address, 16), int(times) / (int(runs) * operations)
            at = bisect.bisect_right(addresses, address) - 1
            name = names[at] if address >= KERNEL_HALF and at >= 0 else ("(user space)", "")
            self.spent[name] += times
            if name[1] and addresses[at] == address:
                self.called[name] += times

    def by_module(self):
        modules = collections.Counter()
        for (_, module), times in self.spent.items():
            modules[module] += times
        return modules


def demangled(names):
    result = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def by_difference(one, other):
    return sorted(set(one) | set(other), key=lambda name: other[name] - one[name])


def main():
    operations, folder, *transports = sys.argv[1:]
    one, other = (Profile(pathlib.Path(folder), transport, int(operations)) for transport in transports)
    heading = f"{transports[0]:>10}{transports[1]:>10}{'more':>10}"
    print(f"{heading}  instructions an operation, by module")
    modules, others = one.by_module(), other.by_module()
    for module in by_difference(modules, others):
        print(f"{modules[module]:10.0f}{others[module]:10.0f}{modules[module] - others[module]:10.0f}  {module}")
    total, others_total = sum(modules.values()), sum(others.values())
    print(f"{total:10.0f}{others_total:10.0f}{total - others_total:10.0f}  all")
    print(f"\n{heading}{'calls':>10}{'calls':>8}  by function, the first {TOP}")
    names = by_difference(one.spent, other.spent)[:TOP]
    for name, readable in zip(names, demangled([function for function, _ in names])):
        print(f"{one.spent[name]:10.0f}{other.spent[name]:10.0f}{one.spent[name] - other.spent[name]:10.0f}"
              f"{one.called[name]:10.1f}{other.called[name]:8.1f}  {readable} {name[1]}")


main()
