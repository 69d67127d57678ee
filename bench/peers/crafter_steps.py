"""crafter_steps.py ACTIONS [SEED]: random actions in crafter, and how long they took, as JSON.

crafter draws a picture of what the player sees in every step, and the map of its surroundings for `info`; both are left
out here but for the last figure, since a world is measured and not its pictures.
"""

import json
import random
import sys
import time

import crafter


def measure(actions, seed, pictures):
    world = crafter.Env(seed=seed, length=None)
    if not pictures:
        world._obs = lambda: None
        world._sem_view = lambda: None
    world.reset()
    draws = random.Random(seed)
    kinds = len(world.action_names)
    spent = 0.0
    for _ in range(actions):
        action = draws.randrange(kinds)
        start = time.perf_counter()
        over = world.step(action)[2]
        spent += time.perf_counter() - start
        if over:
            world.reset()  # not counted
    return actions / spent


def main():
    actions = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(json.dumps({"actions": actions, "actions_per_second": measure(actions, seed, False),
                      "actions_per_second_with_pictures": measure(max(actions // 10, 1), seed, True)}))


main()
