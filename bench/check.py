#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""check.py FILE: whether the file is what readers of bench/results/latest.json expect; says what is not, and where."""
import json
import sys

SIZES = (1, 64, 256, 1024, 3000, 4096, 16384, 65536)
BULK_SIZES = (1048576,)
# Of each work: its unit, its sizes, and who does it by what.
WORKS = {
    "ping-pong": ("instructions", SIZES, [("ccm", "CCM_bsend"), ("socket", "kernel_sendmsg")]),
    "one-way": ("instructions", SIZES,
                [("ccm", "CCM_rcall_s"), ("socket", "kernel_sendmsg"), ("sunrpc", "rpc_no_reply")]),
    "call-answer": ("instructions", SIZES,
                    [("ccm", "CCM_bsend"), ("ccm", "CCM_rcall"), ("socket", "kernel_sendmsg"),
                     ("sunrpc", "rpc_call_sync")]),
    "bulk": ("bytes/s", BULK_SIZES, [("ccm", "CCM_bsend"), ("socket", "kernel_sendmsg"), ("iperf3", "iperf3")]),
}
HEAD = {"kernel": str, "commit": str, "cpus": int, "rows": list}
ROW = {"work": str, "transport": str, "by": str, "size": int, "init_on_alloc": int, "unit": str, "median": int,
       "p99": int, "runs": int}


def has_fields(thing, fields, where):
    if not isinstance(thing, dict) or set(thing) != set(fields):
        return [f"{where}: has not the fields {', '.join(fields)}"]
    return [f"{where}: {name} is no {kind.__name__}" for name, kind in fields.items() if type(thing[name]) is not kind]


def row_faults(row, where):
    faults = has_fields(row, ROW, where)
    if faults:
        return faults
    if row["unit"] != WORKS.get(row["work"], [None])[0]:
        faults.append(f"{where}: work {row['work']} in {row['unit']}")
    if not 0 < row["median"] <= row["p99"]:
        faults.append(f"{where}: median {row['median']}, p99 {row['p99']}")
    if row["runs"] < 1:
        faults.append(f"{where}: of {row['runs']} runs")
    return faults


def key(row):
    return tuple(row[name] for name in ("work", "transport", "by", "size", "init_on_alloc"))


def expected_keys():
    return {(work, transport, by, size, init_on_alloc) for work, (_, sizes, ways) in WORKS.items()
            for transport, by in ways for size in sizes for init_on_alloc in (0, 1)}


def faults_of(result):
    faults = has_fields(result, HEAD, "the file")
    if faults:
        return faults
    for number, row in enumerate(result["rows"], 1):
        faults += row_faults(row, f"row {number}")
    if faults:
        return faults
    keys = [key(row) for row in result["rows"]]
    faults += [f"{wanted}: is missing" for wanted in sorted(expected_keys() - set(keys))]
    faults += [f"{found}: is not known" for found in sorted(set(keys) - expected_keys())]
    faults += [f"{found}: is there twice" for found in sorted(set(keys)) if keys.count(found) > 1]
    return faults


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        faults = faults_of(json.load(file))
    for fault in faults:
        print(f"{sys.argv[1]}: {fault}", file=sys.stderr)
    sys.exit(bool(faults))


main()
