#!/usr/bin/env python3
"""Whether a run of `caravel voyage --world minecraft` reaches the same by the same answers, however fast its clock is.

    CARAVEL=build/release/caravel bench/minecraft_clocks.py RUN [--clocks 1,4,10] [--keep FOLDER]

Replays RUN's record by each clock, one after the other, and prints what each reached: items, tasks, rounds. What lies on
the way (flowers, seeds, another tree's wood) may differ; what tasks are about is to be the same: it ends with 1 where
something of that is missing.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# What a tree or a creature happened to be, and what lay on the way; the kind of wood is no difference.
BY_THE_WAY = re.compile(r"_sapling$|_seeds$|_tulip$|^(apple|stick|dirt|grass_block|dandelion|poppy|cornflower|oxeye_daisy|azure_bluet|sand|"
                        r"gravel|flint|egg|feather|leather|bone|arrow|string|spider_eye|gunpowder|rotten_flesh|white_wool|ender_pearl)$"
                        r"|granite$|diorite$|andesite$|tuff$|deepslate$|^raw_copper$|^(raw_)?(beef|mutton|chicken|porkchop|rabbit)$")
WOOD = re.compile(r"^(oak|birch|spruce|acacia|jungle|dark_oak|mangrove)_")


def reached(run):
    lines = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    items = {WOOD.sub("wood_", line["name"]) for line in lines if line["type"] == "item"}
    return {"items": items, "meant": {item for item in items if not BY_THE_WAY.search(item)},
            "tasks": [line["success"] for line in lines if line["type"] == "iteration"],
            "rounds": sum(line["type"] == "step" for line in lines)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--clocks", default="1,4,10")
    parser.add_argument("--keep", type=pathlib.Path, help="where the replays go")
    arguments = parser.parse_args()
    codes = {}
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.keep or pathlib.Path(folder)
        rows = {"the run": reached(arguments.run)}
        for clock in arguments.clocks.split(","):
            out = place / f"clock{clock}"
            replay = subprocess.run([os.environ["CARAVEL"], "voyage", "--replay", str(arguments.run), "--clock", clock, "--out",
                                     str(out), "--plain"], stderr=subprocess.PIPE, text=True)
            codes[clock] = replay.returncode
            if not (out / "events.jsonl").exists():
                sys.exit(f"clock {clock}x: {replay.stderr[-500:]}")
            rows[f"clock {clock}x"] = reached(out)
    wanted = rows["the run"]["meant"]
    is_same = True
    for name, row in rows.items():
        missing = wanted - row["meant"]
        is_same = is_same and not missing
        print(f"{name:10} {len(row['items'])} items, {sum(row['tasks'])} of {len(row['tasks'])} tasks, {row['rounds']} rounds"
              + (f"; not reached: {', '.join(sorted(missing))}" if missing else "; all that the run reached"))
        print(f"           besides: {', '.join(sorted(row['items'] - wanted)) or 'nothing'}")
    print(f"meant: {', '.join(sorted(wanted))}; the replays ended with {codes}")
    sys.exit(0 if is_same else 1)


main()
