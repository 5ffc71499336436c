#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""report.py RELEASE COMMIT BOOTS RESULTS: what the guests of run.sh have reported, as tables, JSON and data for plots.

BOOTS/init_on_alloc=N/report has a line a run: WORK TRANSPORT BY SIZE OPERATIONS INSTRUCTIONS, or "iperf3" and the JSON
it printed. Tables go to standard output, latest.json to RESULTS, the data of the two figures to BOOTS.
"""
import json
import math
import pathlib
import sys

NS_PER_S = 10**9  # and an instruction is a nanosecond
BULK_SIZE = 1 << 20
TITLES = {
    "ping-pong": "Ping-pong (figure 9): thousand instructions a round trip",
    "one-way": "One way (figure 10): thousand instructions a message",
    "call-answer": "Call with answer (figure 10): thousand instructions a call",
    "bulk": "Bulk, one way: MiB a second, of a second of 10^9 instructions",
}
FIGURES = {"figure9": ["ping-pong"], "figure10": ["one-way", "call-answer"]}


def runs_of(line):
    """The row that a line belongs to, its unit, and its figure."""
    if line.startswith("iperf3 "):
        rate = json.loads(line.split(" ", 1)[1])["end"]["sum_received"]["bits_per_second"]
        return ("bulk", "iperf3", "iperf3", BULK_SIZE), "bytes/s", rate / 8
    work, transport, by, size, operations, ns = line.split()
    size, operations, ns = int(size), int(operations), int(ns)
    if work == "bulk":
        return (work, transport, by, size), "bytes/s", size * operations * NS_PER_S / ns
    return (work, transport, by, size), "instructions", ns / operations


def percentile(figures, percent):
    """The least figure that so many percent of them do not exceed."""
    return round(sorted(figures)[math.ceil(len(figures) * percent / 100) - 1])


def rows_of(report, init_on_alloc):
    figures, units = {}, {}
    for line in report.read_text().splitlines():
        if line.startswith(("ok ", "not ok ")) or line == "end":
            continue
        row, unit, figure = runs_of(line)
        figures.setdefault(row, []).append(figure)
        units[row] = unit
    return [
        {"work": work, "transport": transport, "by": by, "size": size, "init_on_alloc": init_on_alloc,
         "unit": units[work, transport, by, size], "median": percentile(all_runs, 50), "p99": percentile(all_runs, 99),
         "runs": len(all_runs)}
        for (work, transport, by, size), all_runs in figures.items()
    ]


def medians(rows, work, init_on_alloc):
    """{way: {size: median}}, CCM first."""
    table = {}
    for row in rows:
        if (row["work"], row["init_on_alloc"]) == (work, init_on_alloc):
            table.setdefault(f"{row['transport']} {row['by']}", {})[row["size"]] = row["median"]
    return table


def cell(median, socket, unit):
    return f"{median / unit:,.1f} {median / socket:5.2f}x"


def print_table(rows, work, init_on_alloc):
    table = medians(rows, work, init_on_alloc)
    socket = next(column for way, column in table.items() if way.startswith("socket"))
    unit = BULK_SIZE if work == "bulk" else 1000
    print(f"\n{TITLES[work]}, and how much that is of the raw socket's; init_on_alloc={init_on_alloc}")
    print(f"{'bytes':>8}" + "".join(f"{way:>23}" for way in table))
    for size in sorted(socket):
        print(f"{size:>8}" + "".join(f"{cell(column[size], socket[size], unit):>23}" for column in table.values()))


def write_figure(rows, works, path):
    """Columns for gnuplot: a size, and what each way needed."""
    columns = {f"{work}: {way}": column for work in works for way, column in medians(rows, work, 0).items()}
    lines = ["bytes " + " ".join(f'"{name}"' for name in columns)]
    for size in sorted(next(iter(columns.values()))):
        lines.append(f"{size} " + " ".join(str(column[size]) for column in columns.values()))
    path.write_text("\n".join(lines) + "\n")


def write_json(path, head, rows):
    """A row a line, so that two results can be compared line by line."""
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    path.write_text(json.dumps(head)[:-1] + ', "rows": [\n' + lines + "\n]}\n")


def main():
    release, commit, boots, results = sys.argv[1:]
    boots, results = pathlib.Path(boots), pathlib.Path(results)
    rows = []
    for init_on_alloc in (0, 1):
        rows += rows_of(boots / f"init_on_alloc={init_on_alloc}" / "report", init_on_alloc)
    for work in TITLES:
        for init_on_alloc in (0, 1):
            print_table(rows, work, init_on_alloc)
    for figure, works in FIGURES.items():
        write_figure(rows, works, boots / f"{figure}.dat")
    write_json(results / "latest.json", {"kernel": release, "commit": commit, "cpus": 1}, rows)


main()
