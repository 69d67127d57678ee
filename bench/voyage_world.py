#!/usr/bin/env python3
"""How many actions a second the embedded world takes, beside crafter (Hafner, 2021), the closest world in Python.

    bench/voyage_world.py [--actions N] [--rounds N]

Both on one core, one after the other in turns, drawing off on both sides, by random actions of the same seventeen kinds.
An action of ours takes one tick of the world or many (digging, walking), which are all computed; one of crafter's is one
step. Needs build/release/bench/voyage/world_bench (CMake with -DCARAVEL_BUILD_BENCH=ON; WORLD_BENCH in the environment
is another) and bench/peers/setup's crafter.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

from peers.peers import PEERS, ROOT

OURS = pathlib.Path(os.environ.get("WORLD_BENCH") or ROOT / "build/release/bench/voyage/world_bench")
THEIRS = PEERS / "crafter-venv/bin/python"


def figures(command):
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--actions", type=int, default=1_000_000, help="of ours; a hundredth of them of crafter's")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for needed, how in ((OURS, "cmake -DCARAVEL_BUILD_BENCH=ON, then ninja world_bench"), (THEIRS, "bench/peers/setup")):
        if not needed.exists():
            sys.exit(f"{needed} is not there: {how}")
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    ours, theirs = [], []
    for seed in range(1, arguments.rounds + 1):
        ours.append(figures([str(OURS), str(arguments.actions), str(seed)]))
        theirs.append(figures([str(THEIRS), str(ROOT / "bench/peers/crafter_steps.py"),
                               str(max(arguments.actions // 100, 1000)), str(seed)]))

    def middle(rows, key):
        return statistics.median(row[key] for row in rows)

    rate, peer = middle(ours, "actions_per_second"), middle(theirs, "actions_per_second")
    print(f"one core, {arguments.rounds} rounds, medians")
    print(f"caravel's world: {rate:,.0f} actions/s, {middle(ours, 'ticks_per_second'):,.0f} ticks/s")
    print(f"crafter:         {peer:,.0f} actions/s "
          f"({middle(theirs, 'actions_per_second_with_pictures'):,.0f} with its pictures)")
    print(f"ratio:           {rate / peer:.1f}")
    for row in ours:
        print(f"memory over {row['actions']:,} actions: {row['resident_kib_before'] / 1024:.1f} MiB, then "
              f"{row['resident_kib_after'] / 1024:.1f} MiB; saved: {row['saved_bytes']:,} bytes")


main()
