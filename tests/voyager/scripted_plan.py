"""How the scripted model goes about a task: what is missing, step by step, from what it has, and which of the skills
that it is shown do such a step.
"""

import math
import re
from dataclasses import dataclass, field

from scripted_knowledge import CRAFTED, GATHERED, KILLED, LOGS, SMELTED, held, is_kind

FUELS = [("coal", 8.0), ("charcoal", 8.0), ("planks", 1.5), ("log", 1.5)]


@dataclass
class Step:
    """many: more of it, or with `total` that there be so many. skill: its call in place of a sub-step of one's own."""
    way: str  # gather, craft, smelt, kill, place
    kind: str
    many: int = 1
    skill: str = ""
    total: bool = True
    of: str = ""  # fuel, or what is smelted


@dataclass
class Way:
    """How a kind of item is had."""
    name: str
    makes: int = 1
    needs: dict = field(default_factory=dict)  # that are used up
    tool: str = ""
    table: bool = False
    blocks: list = field(default_factory=list)
    depth: int = 0
    mob: str = ""


def way_of(kind):
    """Nothing where it knows of none."""
    if kind in LOGS:
        return Way("gather", blocks=[kind])
    if kind.endswith("_planks"):
        return Way("craft", 4, {kind[:-7] + "_log": 1})
    if kind in GATHERED:
        blocks, tool, depth = GATHERED[kind]
        return Way("gather", blocks=blocks, tool=tool or "", depth=depth)
    if kind in CRAFTED:
        makes, needs, table = CRAFTED[kind]
        return Way("craft", makes, dict(needs), table=table)
    if kind in SMELTED:
        return Way("smelt", 1, {SMELTED[kind]: 1})
    if kind in KILLED:
        return Way("kill", mob=KILLED[kind])
    return None


def directions_for(kind, draw):
    """Where to look for it, in turn, as three numbers each: down where it lies deep, then the four sides."""
    turn = int(draw("direction " + kind) * 4)
    sides = ["1, 0, 0", "0, 0, 1", "-1, 0, 0", "0, 0, -1"]
    return ["0, -1, 0"] * min(way_of(kind).depth, 2) + [sides[(turn + i) % 4] for i in range(4)]


def pickaxe_of(inventory, least):
    """Whether it has this pickaxe or a better one."""
    order = ["wooden_pickaxe", "golden_pickaxe", "stone_pickaxe", "iron_pickaxe", "diamond_pickaxe"]
    return any(held(inventory, name) for name in order[order.index(least):])


class Plan:
    """steps: in order, to have `many` more of `kind`. skills: kind -> Skill, of those that are shown and trusted."""

    def __init__(self, inventory, near, skills):
        self.stock = dict(inventory)
        self.near = set(near)
        self.skills = skills
        self.steps = []
        self.unknown = []

    def for_task(self, kind, many):
        way = way_of(kind)
        if way is None:
            self.unknown.append(kind)
            return self
        self._obtain(kind, many, way, [], is_goal=True)
        return self

    def own(self):
        return [step for step in self.steps if not step.skill]

    def _ensure(self, kind, many, trail, is_direct):
        if kind.endswith("_pickaxe") and pickaxe_of(self.stock, kind):
            many = 0
        missing = many - held(self.stock, kind)
        skill = self.skills.get(kind)
        if missing <= 0:
            if is_direct and skill and many:  # a call that does nothing now makes a function of more use later
                self.steps.append(Step("call", kind, many, skill=skill.name))
            return
        way = way_of(kind)
        if way is None or kind in trail:
            self.unknown.append(kind)
        else:
            self._obtain(kind, missing, way, trail, is_goal=False)

    def _obtain(self, kind, missing, way, trail, is_goal):
        trail = [*trail, kind]
        times = math.ceil(missing / way.makes)
        # A skill of the task's own kind would be the answer itself: it is called, too.
        skill = self.skills.get(kind)
        covered = skill.covers if skill else set()
        needs = {need: many * times for need, many in way.needs.items() if need not in covered}
        fuel = self._fuel(times) if way.name == "smelt" and not covered & {name for name, _ in FUELS} else None
        for _ in range(3):  # what is made for one need may use up another
            for need, many in needs.items():
                self._ensure(need, many, trail, is_goal)
            if fuel and fuel[0] not in needs:
                self._ensure(*fuel, trail, is_goal)
            if way.tool and way.tool not in covered:
                self._ensure(way.tool, 1, trail, is_goal)
            for block, wanted in [("crafting_table", way.table), ("furnace", way.name == "smelt")]:
                if wanted:
                    self._place(block, covered, trail)
            if all(held(self.stock, need) >= many for need, many in needs.items()):
                break
        for need, many in needs.items():
            self._take(need, many)
        earlier = next((step for step in self.steps if step.way == "gather" and step.kind == kind and not step.skill), None)
        if earlier and not is_goal and not way.depth:  # on one walk
            earlier.many += missing
            self.stock[kind] = self.stock.get(kind, 0) + missing
            return
        total = held(self.stock, kind) + missing
        self.stock[kind] = self.stock.get(kind, 0) + times * way.makes
        goal = missing if is_goal else total
        if skill:
            self.steps.append(Step("call", kind, goal, skill=skill.name, total=not is_goal))
        else:
            self.steps.append(Step(way.name, kind, goal, total=not is_goal, of=fuel[0] if fuel else ""))
        if way.name in ("gather", "kill") and way.depth:
            self.near -= {"crafting_table", "furnace"}

    def _place(self, block, covered, trail):
        if block in self.near or block in trail:
            return
        skill = self.skills.get("place " + block)
        if block not in covered and (not skill or block not in skill.covers):
            self._ensure(block, 1, trail, False)
        self._take(block, 1)
        self.near.add(block)
        if "place " + block not in covered:
            self.steps.append(Step("place", block, 1, skill=skill.name if skill else ""))

    def _fuel(self, times):
        for name, each in FUELS[:3]:
            if held(self.stock, name) * each >= times:
                return name, math.ceil(times / each)
        return "planks", math.ceil(times / 1.5)

    def _take(self, kind, many):
        for name in sorted(self.stock):
            if is_kind(name, kind):
                taken = min(many, self.stock[name])
                self.stock[name] -= taken
                many -= taken


@dataclass
class Skill:
    name: str
    code: str
    covers: set = field(default_factory=set)  # what its code sees to itself, beside what it is for


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def purpose(name):
    """What a skill is for, by its name: "craftStonePickaxe" -> "stone_pickaxe", "placeFurnace" -> "place furnace"."""
    verb, _, kind = snake(name).partition("_")
    if verb in ("mine", "craft", "smelt", "obtain", "collect", "cook", "gather"):
        return kind
    if verb == "place":
        return "place " + kind
    return None


def shown_skills(functions):
    """kind -> Skill, of functions (name, code) that a prompt shows; the first of a kind is nearest to the task."""
    found = {}
    for name, code in functions:
        kind = purpose(name)
        if kind and kind not in found:
            found[kind] = Skill(name, code)
    for kind, skill in found.items():
        steps = re.findall(r"(?:--|//) (gather|craft|smelt|kill|place) (\w+)", skill.code)
        skill.covers = {("place " if way == "place" else "") + of for way, of in steps}
        called = {purpose(call) for call in re.findall(r"\b(\w+)\(bot\)", skill.code)}
        skill.covers = (skill.covers | called) - {None}
    # It reads what it is shown: a function that has no step for what its name says is not called.
    found = {kind: skill for kind, skill in found.items() if kind in skill.covers}
    for kind, skill in found.items():
        skill.covers.discard(kind)
    return found
