"""The scripted model's code: a function for a task out of the steps of its plan, with its mistakes, in the language that
the prompt asks for (scripted_lua.py, scripted_javascript.py).
"""

import re

import scripted_javascript
import scripted_lua
from scripted_knowledge import NEARLY
from scripted_rates import CODE_MISTAKES, REPAIR, SUB_STEPS

LANGUAGES = {"Lua": scripted_lua, "JavaScript": scripted_javascript}
WRONG_FUNCTIONS = {"gather": "collectBlocks", "craft": "craftAt", "smelt": "useFurnace", "kill": "huntMob",
                   "place": "putBlock"}


def is_told(mistake, kind, name, way, seen):
    """Whether the prompt shows that this went wrong."""
    told = seen.told
    if mistake == "syntax":
        return bool(re.search(r"expected|near|unexpected|syntax", seen.error))
    if mistake == "function":
        return WRONG_FUNCTIONS[way] in told
    if mistake == "name":
        return name in told
    if mistake == "endless":
        return bool(re.search(r"instruction|too long|limit|never ended|deadline", seen.error))
    return bool(re.search(rf"\b\w*{kind}\b", told) or kind.replace("_", " ") in told)


def mistake_of(step, seen, roles):
    """One of CODE_MISTAKES, or nothing; counted."""
    if not roles.errs:
        return None
    roll = roles.draw(f"mistake {step.way} {step.kind}")
    for mistake, rate in CODE_MISTAKES.items():
        if is_told(mistake, step.kind, NEARLY.get(step.kind, step.kind + "_item"), step.way, seen):
            rate *= REPAIR
        if roll < rate:
            roles.count("code " + mistake)
            return mistake
        roll -= rate
    return None


def own_step(step, number, seen, roles):
    mistake = mistake_of(step, seen, roles)
    if mistake == "forgotten":
        return ""
    language = LANGUAGES[seen.language]
    name = NEARLY.get(step.kind, step.kind + "_item") if mistake == "name" else step.kind
    goal = step.many if step.total else f"goal{number}"
    before = "" if step.total else language.goal_line(number, step.kind, step.many)
    body = language.WRITERS[step.way](step, goal, name, roles.draw)
    if mistake == "syntax":
        body = language.broken(body)
    elif mistake == "function":
        wrong = WRONG_FUNCTIONS[step.way]
        body = re.sub(r"\b(mineBlock|craftItem|smeltItem|killMob|placeItem)\(", wrong + "(", body)
        body = language.with_call(body, wrong, name) if step.way in ("gather", "kill") else body
    elif mistake == "endless":
        body = language.endless(step.kind)
    many = f" to {step.many}" if step.total else f", {step.many} more"
    return f"  {language.COMMENT} {step.way} {step.kind}{many if step.way != 'place' else ''}\n{language.block(before + body)}"


def call_step(step, number, language):
    if step.way == "place":
        return language.call_to_place(step.kind, step.skill)
    goal = step.many if step.total else f"goal{number}"
    before = "" if step.total else language.goal_line(number, step.kind, step.many)[2:]
    return before + language.call_until(step.kind, goal, step.skill)


def function_of(name, steps, seen, roles):
    """The first SUB_STEPS of its own among the steps, and the calls before the next."""
    language = LANGUAGES[seen.language]
    text, own = language.make_room() if seen.slots_left < 4 else "", 0
    for number, step in enumerate(steps):
        if step.skill:
            text += call_step(step, number, language)
            continue
        if own == SUB_STEPS:
            text += f"  {language.COMMENT} the rest is for the next round\n"
            break
        own += 1
        text += own_step(step, number, seen, roles)
    return language.function(name, language.HAVE + text)
