"""The scripted model's answers, by role, from what the prompt says (scripted_reading.py) and nothing else."""

import json
import re

from scripted_code import LANGUAGES, function_of
from scripted_knowledge import FOODS, GATHERED, KILLED, LADDER, SIDE, SMELTED, held, is_kind
from scripted_plan import Plan, pickaxe_of, purpose, shown_skills, way_of
from scripted_rates import (CRITIC_SAYS_DONE, CRITIC_SAYS_UNDONE, MALFORMED_JSON, NO_CODE, PLAIN_TEXT, SIDE_TASK,
                            SUB_STEPS, WRONG_TASK)

VERBS = {"mine": "mine", "dig": "mine", "collect": "obtain", "obtain": "obtain", "gather": "obtain", "get": "obtain",
         "craft": "craft", "make": "craft", "smelt": "smelt", "cook": "smelt", "kill": "kill", "place": "place",
         "eat": "eat", "equip": "equip", "deposit": "deposit"}
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
WRONG_TASKS = ["Craft 1 netherite pickaxe", "Craft 1 diamond chestplate", "Explore the world", "Build a house",
               "Mine 1 bedrock"]


def title(kind):
    return "".join(word.capitalize() for word in kind.split("_"))


def words(kind):
    return kind.replace("_", " ")


def kind_of(text):
    """An item's name out of a task's words."""
    kind = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    kind = {"wood_log": "log", "wood_logs": "log", "wood": "log", "wood_planks": "planks", "wooden_planks": "planks",
            "iron_ore": "raw_iron", "gold_ore": "raw_gold", "coal_ore": "coal", "diamond_ore": "diamond",
            "stone_block": "cobblestone"}.get(kind, kind)
    if way_of(kind) is None and kind.endswith("s") and (way_of(kind[:-1]) or kind[:-1] in KILLED.values()):
        kind = kind[:-1]
    return kind


def read_task(task):
    """(verb, many, kind); verb is empty where it makes nothing of it."""
    match = re.match(r"\s*(\w+)\s+(?:(\d+|an?|one|two|three|four|five)\s+)?(.+?)\.?\s*$", task)
    if not match or match[1].lower() not in VERBS:
        return "", 0, ""
    verb = VERBS[match[1].lower()]
    many = NUMBERS.get((match[2] or "a").lower()) or int(match[2])
    kind = kind_of(match[3])
    if verb == "smelt":  # "smelt 3 raw iron": what comes of it is meant
        kind = next((out for out, of in SMELTED.items() if of == kind), kind)
    return verb, many, kind


def task_of(kind, many):
    way = way_of(kind)
    verb = {"gather": "Mine", "craft": "Craft", "smelt": "Smelt", "kill": "Kill"}[way.name]
    if way.name == "kill":
        return f"Kill {many} {way.mob}"
    if way.name == "smelt":
        return f"Smelt {many} {words(SMELTED[kind])}"
    return f"{verb} {many} {words('wood_log' if kind == 'log' else kind)}"


class Roles:
    """draw(label): a number from 0 to 1, of this seed, this prompt and this label. count(mistake): is told of each.
    errs: whether it makes any.
    """

    def __init__(self, draw, count, errs=True):
        self.draw, self.count, self.errs = draw, count, errs

    def _is_mistake(self, name, rate):
        if not self.errs or self.draw(name) >= rate:
            return False
        self.count(name)
        return True

    def as_json(self, value, plain):
        """Its answer, as it was asked for or not."""
        text = json.dumps(value)
        if self._is_mistake("malformed JSON", MALFORMED_JSON):
            return text[:-1 - int(self.draw("cut") * 20)].replace('"', "'", 1)
        if self._is_mistake("plain text", PLAIN_TEXT):
            return plain
        return text

    # The curriculum.

    def propose(self, seen):
        task, reason = self._next_task(seen)
        if self._is_mistake("wrong task", WRONG_TASK):
            task = WRONG_TASKS[int(self.draw("which") * len(WRONG_TASKS))]
        return self.as_json({"reasoning": reason, "task": task}, f"Reasoning: {reason}\nTask: {task}")

    def _next_task(self, seen):
        if seen.food is not None and seen.food < 10:
            food = next((name for name in FOODS if held(seen.inventory, name)), None)
            if food:
                return f"Eat 1 {words(food)}", "The player is hungry and has something to eat."
        step = self._ladder_step(seen)
        side = self._side_task(seen)
        if side and (step is None or step in seen.failed or self.draw("side") < SIDE_TASK):
            return side, "Something new is within reach with what the inventory holds."
        if step is None:
            far = next((kind for kind in SIDE if kind not in KILLED and not held(seen.inventory, kind)
                        and not self._is_done(seen, kind)), None)
            if far is None:
                return f"Explore {int(self.draw('far') * 3) + 1}00 blocks", "All that is known was done."
            step = self._within_reach(seen, far, 1)
        return step, "It is the next step of the tech tree with what the inventory holds."

    def _ladder_step(self, seen):
        """The first thing that is neither held nor done; what it lacks first."""
        for kind, many in LADDER:
            if held(seen.inventory, kind) or self._is_done(seen, kind):
                continue
            return self._within_reach(seen, kind, many)
        return None

    def _is_done(self, seen, kind):
        return any(read_task(task)[2] == kind for task in seen.completed)

    def _within_reach(self, seen, kind, many):
        """A task for this, or for what is missing for it, that takes few steps."""
        for _ in range(12):
            plan = Plan(seen.inventory, seen.nearby_blocks, {}).for_task(kind, many)
            first = next((step for step in plan.steps if step.way != "place" and step.kind != kind), None)
            if len(plan.steps) <= SUB_STEPS or first is None:
                break
            kind, many = first.kind, max(1, first.many - held(seen.inventory, first.kind))
            if kind in dict(LADDER):
                many = max(many, dict(LADDER)[kind] if kind in ("log", "planks", "stick", "cobblestone") else many)
        return task_of(kind, many)

    def _side_task(self, seen):
        able = []
        for kind in SIDE:
            if held(seen.inventory, kind) or self._is_done(seen, kind) or task_of(kind, 1) in seen.failed:
                continue
            if kind in KILLED and any(read_task(task)[:1] == ("kill",) and read_task(task)[2] == KILLED[kind]
                                      for task in seen.completed):
                continue
            if kind in KILLED and KILLED[kind] not in seen.entities:
                continue
            tool = GATHERED.get(kind, ([], None, 0))[1]
            if tool and not pickaxe_of(seen.inventory, tool):
                continue
            if len(Plan(seen.inventory, seen.nearby_blocks, {}).for_task(kind, 1).steps) <= SUB_STEPS:
                able.append(kind)
            if len(able) == 4:
                break
        if not able:
            return None
        kind = able[int(self.draw("which side") * len(able))]
        return task_of(kind, 1)

    def questions(self, seen):
        kind = read_task(seen.task)[2] if seen.task else ""
        asked = [f"How can I obtain 1 {words(kind)}?"] if kind else []
        asked += ["What does the next step of the tech tree need?",
                  f"What can be found in a {words(seen.biome)} biome?" if seen.biome else "What is found near trees?"]
        return self.as_json({"reasoning": "What is not known yet is asked for.", "questions": asked},
                            "\n".join(f"Question {i + 1}: {text}" for i, text in enumerate(asked)))

    def answer(self, seen):
        kind = kind_of(re.sub(r"^.*\b(?:obtain|craft|mine|smelt|make|get|kill|find|do|complete)\b\s*(?:\d+|an?)?\s*", "",
                              seen.question, flags=re.I).rstrip("?. "))
        way = way_of(kind)
        if way is None:
            return "Logs give planks and sticks, these a crafting table and tools; stone, coal and ores lie underground."
        if way.name == "gather":
            with_tool = f" with at least a {words(way.tool)}" if way.tool else ""
            return f"Mine {words(way.blocks[0])}{with_tool}."
        if way.name == "kill":
            return f"Kill a {way.mob}."
        needs = " and ".join(f"{many} {words(need)}" for need, many in way.needs.items())
        if way.name == "smelt":
            return f"Smelt {needs} in a furnace, with coal or planks as fuel."
        return f"Craft it from {needs}{' at a crafting table' if way.table else ''}."

    def decompose(self, seen):
        _, many, kind = read_task(seen.goal)
        if way_of(kind) is None:
            tasks = [seen.goal]
        else:
            tasks = self._milestones(seen, kind, many or 1)
        return self.as_json({"reasoning": "What is needed first comes first.", "tasks": tasks},
                            "\n".join(f"{i + 1}. {task}" for i, task in enumerate(tasks)))

    def _milestones(self, seen, kind, many):
        """What the goal takes, as few tasks of several sub-steps each: raw materials, tools, and what they make."""
        plan = Plan(seen.inventory, seen.nearby_blocks, {}).for_task(kind, many)
        needed = {}
        for step in plan.steps:
            if step.way != "place" and step.kind not in ("planks", "stick", "crafting_table"):
                needed[step.kind] = needed.get(step.kind, 0) + step.many
        if "furnace" in needed and "cobblestone" in needed:
            needed["cobblestone"] = max(needed["cobblestone"], 11)  # on one walk
        return [task_of(of, much) for of, much in needed.items()][-10:]

    # Code.

    def action(self, seen):
        verb, many, kind = read_task(seen.task)
        if self._is_mistake("no code", NO_CODE):
            return "The task is best done by gathering what is needed first and then making what is asked for."
        skills = {of: skill for of, skill in shown_skills(seen.functions).items() if not self._is_doubtful(seen, of)}
        if verb in ("eat", "equip", "deposit") or (verb == "kill" and kind not in KILLED.values()):
            return self._plain_code(seen, verb, many, kind)
        if not verb:
            language = LANGUAGES[seen.language]
            return self._fenced(seen, "explore", language.function("explore", language.EXPLORE))
        if verb == "kill":
            kind = next(item for item, mob in KILLED.items() if mob == kind)
        name = {"kill": "obtain"}.get(verb, verb) + title(kind)
        plan = Plan(seen.inventory, seen.nearby_blocks, skills)
        if verb == "place":
            plan.near.discard(kind)
            plan._place(kind, set(), [])
        else:
            plan.for_task(kind, many)
        if plan.unknown:
            return self._plain_code(seen, verb, many, kind)
        if any(step.skill == name for step in plan.steps):
            name = f"{verb}{many}{title(kind)}"
        return self._fenced(seen, name, function_of(name, plan.steps, seen, self))

    def _is_doubtful(self, seen, kind):
        """A skill that the last code called, and whose yield is said to be lacking: it does not trust it again now."""
        call = rf"\b\w*{title(kind.removeprefix('place '))}\(bot\)"
        lacking = rf"\b\w*{kind.removeprefix('place ')}\b|{words(kind.removeprefix('place '))}"
        return bool(seen.code and re.search(call, seen.code) and re.search(lacking, seen.told))

    def _plain_code(self, seen, verb, many, kind):
        """A call of one primitive."""
        name = verb + title(kind)
        language = LANGUAGES[seen.language]
        if verb == "deposit":
            return self._deposit(seen)
        return self._fenced(seen, name, language.function(name, f"  {language.plain_call(verb, kind, many)}\n"))

    def _deposit(self, seen):
        at = re.search(r"\((-?\d+), (-?\d+), (-?\d+)\)", seen.task)
        spare = {name: many for name, many in seen.inventory.items() if not self._is_kept(name)}
        language = LANGUAGES[seen.language]
        body = language.deposit(at.groups(), sorted(spare.items())) if at else language.NO_CHEST
        return self._fenced(seen, "depositItems", language.function("depositItems", body))

    def _is_kept(self, name):
        """What the tech tree takes, and the tools of it."""
        return name.endswith("_pickaxe") or any(is_kind(name, kind) for kind, _ in LADDER)

    def _fenced(self, seen, name, code):
        return (f"Explain: {'the last code did not do it, since: ' + seen.told.splitlines()[0][:80] if seen.told else 'it is new'}."
                f"\nPlan: 1) what is missing, 2) {name}.\nCode:\n```{LANGUAGES[seen.language].FENCE}\n{code}```\n")

    def describe(self, seen):
        """What the code of a skill does, by its comments and calls."""
        match = re.findall(r"function (\w+)\(bot\)", seen.code)
        name = match[-1] if match else "main"
        kind = purpose(name) or name
        steps = re.findall(r"(?:--|//) (gather|craft|smelt|kill|place) (\w+)", seen.code)
        made = ", ".join(f"{way} {words(of)}" for way, of in steps)
        calls = ", ".join(sorted(set(re.findall(r"\b(\w+)\(bot\)", seen.code)) - {name}))
        return f"To get {words(kind)}: {made or 'nothing by itself'}." + (f" Uses {calls}." if calls else "")

    # The critic.

    def critic(self, seen):
        verb, many, kind = read_task(seen.task)
        had, has = held(seen.before, kind), held(seen.inventory, kind)
        is_done = has - had >= many or has >= max(many, had + 1)  # so many more, or filled up to so many
        lack = f"There are {has} {words(kind)}, and {had} before; {many} more are needed."
        if verb == "kill":
            items = [item for item, mob in KILLED.items() if mob == kind]
            is_done = any(held(seen.inventory, item) > held(seen.before, item) for item in items)
            lack = f"Nothing of a {kind} was gained: find one and kill it."
        elif verb == "place":
            is_done = kind in seen.nearby_blocks or has < had
            lack = f"No {words(kind)} stands nearby: place it on free ground."
        elif verb == "eat":
            is_done, lack = has < had, f"The {words(kind)} was not eaten."
        elif verb == "equip":
            is_done, lack = kind in seen.equipment, f"The {words(kind)} is not worn."
        elif not verb or verb == "deposit":
            is_done = True
        if is_done and self._is_mistake("critic says undone", CRITIC_SAYS_UNDONE):
            is_done = False
        elif not is_done and self._is_mistake("critic says done", CRITIC_SAYS_DONE):
            is_done = True
        if not is_done and verb in ("craft", "smelt", "mine", "obtain"):
            lack += self._lacking(seen, kind, many)
        critique = "" if is_done else lack
        return self.as_json({"reasoning": lack if not is_done else f"{words(kind)} is there as was asked for.",
                             "success": is_done, "critique": critique},
                            f"Success: {'yes' if is_done else 'no'}\nCritique: {critique}")

    def _lacking(self, seen, kind, many):
        plan = Plan(seen.inventory, seen.nearby_blocks, {}).for_task(kind, many)
        first = [step for step in plan.steps if step.kind != kind][:2]
        return "".join(f" Lacking first: {words(step.kind)} ({step.way} it)." for step in first)
