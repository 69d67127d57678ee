"""The scripted model's Lua: a function for a task out of the steps of its plan, with its mistakes."""

import re

from scripted_knowledge import JUNK, KILLED, NEARLY, SMELTED
from scripted_plan import way_of
from scripted_rates import CODE_MISTAKES, REPAIR, SUB_STEPS

WRONG_FUNCTIONS = {"gather": "collectBlocks", "craft": "craftAt", "smelt": "useFurnace", "kill": "huntMob",
                   "place": "putBlock"}
DIRECTIONS = ["1, 0, 0", "0, 0, 1", "-1, 0, 0", "0, 0, -1"]

HAVE = """  local function have(kind)
    local total = 0
    for name, many in pairs(bot:inventory()) do
      if name == kind or name:sub(-#kind - 1) == "_" .. kind then total = total + many end
    end
    return total
  end
"""


def vector(text):
    return "{x = %s, y = %s, z = %s}" % tuple(text.split(", "))


def gather(step, goal, name, draw):
    way = way_of(step.kind)
    turn = int(draw("direction " + step.kind) * 4)
    directions = [DIRECTIONS[(turn + i) % 4] for i in range(4)]
    if way.depth:
        directions = ["0, -1, 0"] * min(way.depth, 2) + directions
    blocks = ", ".join(f'"{block}"' for block in way.blocks)
    if name != step.kind:
        return f'    mineBlock(bot, "{name}", {goal} - have("{step.kind}"))\n'
    return f"""    local blocks = {{{blocks}}}
    local directions = {{{", ".join(map(vector, directions))}}}
    for attempt = 1, 8 do
      if have("{step.kind}") >= {goal} then break end
      local found = bot:findBlocks(blocks, 32, 1) or {{}}
      if #found > 0 then
        mineBlock(bot, found[1].name, {goal} - have("{step.kind}"))
      else
        exploreUntil(bot, directions[(attempt - 1) % #directions + 1], 45, function()
          return (bot:findBlocks(blocks, 32, 1) or {{}})[1]
        end)
      end
    end
"""


def craft(step, goal, name, draw):
    missing = f'{goal} - have("{step.kind}")'
    if step.kind == "planks" and name == "planks":
        return f"""    for name, many in pairs(bot:inventory()) do
      if name:sub(-4) == "_log" and have("planks") < {goal} then
        craftItem(bot, name:sub(1, -5) .. "_planks", math.min(4 * many, {missing}))
      end
    end
"""
    return f"""    if have("{step.kind}") < {goal} then
      craftItem(bot, "{name}", {missing})
    end
"""


def pick_name(kind):
    """Lua for a name of the inventory that is of this kind."""
    if kind not in ("log", "planks"):
        return f'    local chosen = "{kind}"\n'
    return f"""    local chosen = "oak_{kind}"
    for name in pairs(bot:inventory()) do
      if name:sub(-{len(kind) + 1}) == "_{kind}" then chosen = name end
    end
"""


def smelt(step, goal, name, draw):
    of = SMELTED.get(step.kind, step.kind)
    fuel = pick_name(step.of or "coal").replace("chosen", "fuel")
    what = pick_name(of) if name == step.kind else f'    local chosen = "{name}"\n'
    return what + fuel + f"""    if have("{step.kind}") < {goal} then
      smeltItem(bot, chosen, fuel, {goal} - have("{step.kind}"))
    end
"""


def kill(step, goal, name, draw):
    if name != step.kind:
        return f'    killMob(bot, "{name}", 60)\n'
    mob = KILLED[step.kind]
    turn = int(draw("direction " + step.kind) * 4)
    directions = [DIRECTIONS[(turn + i) % 4] for i in range(4)]
    return f"""    local directions = {{{", ".join(map(vector, directions))}}}
    for attempt = 1, 6 do
      if have("{step.kind}") >= {goal} then break end
      if #(bot:findEntities({{"{mob}"}}, 32) or {{}}) > 0 then
        killMob(bot, "{mob}", 60)
      else
        exploreUntil(bot, directions[(attempt - 1) % 4 + 1], 45, function()
          return (bot:findEntities({{"{mob}"}}, 32) or {{}})[1]
        end)
      end
    end
"""


def place(step, goal, name, draw):
    return f"""    local at = bot:position()
    local x, y, z = math.floor(at.x), math.floor(at.y), math.floor(at.z)
    for i, side in ipairs({{{{1, 0}}, {{0, 1}}, {{-1, 0}}, {{0, -1}}}}) do
      if #(bot:findBlocks({{"{step.kind}"}}, 4, 1) or {{}}) > 0 then break end
      if bot:blockAt(x + side[1], y, z + side[2]) ~= "air" then bot:dig(x + side[1], y, z + side[2]) end
      placeItem(bot, "{name}", {{x = x + side[1], y = y, z = z + side[2]}})
    end
"""


WRITERS = {"gather": gather, "craft": craft, "smelt": smelt, "kill": kill, "place": place}


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
    name = NEARLY.get(step.kind, step.kind + "_item") if mistake == "name" else step.kind
    goal = step.many if step.total else f"goal{number}"
    before = "" if step.total else f'    local goal{number} = have("{step.kind}") + {step.many}\n'
    body = WRITERS[step.way](step, goal, name, roles.draw)
    if mistake == "syntax":
        body = re.sub(r" (then|do)\n", "\n", body, count=1)
    elif mistake == "function":
        body = re.sub(r"\b(mineBlock|craftItem|smeltItem|killMob|placeItem)\(", WRONG_FUNCTIONS[step.way] + "(", body)
        body = re.sub(r"\bfor attempt = 1, \d+ do\n", lambda m: f"    {WRONG_FUNCTIONS[step.way]}(bot, \"{name}\")\n"
                      + m[0], body) if step.way in ("gather", "kill") else body
    elif mistake == "endless":
        body = f'    local ready = have("{step.kind}")\n    while ready < have("{step.kind}") + 1 do\n' \
               "      local waited = 0\n      for turn = 1, 1000 do waited = waited + turn end\n    end\n"
    many = f" to {step.many}" if step.total else f", {step.many} more"
    return f"  -- {step.way} {step.kind}{many if step.way != 'place' else ''}\n  do\n{before}{body}  end\n"


def call_step(step, number):
    if step.way == "place":
        return f'  if #(bot:findBlocks({{"{step.kind}"}}, 16, 1) or {{}}) == 0 then {step.skill}(bot) end\n'
    goal = step.many if step.total else f"goal{number}"
    before = "" if step.total else f'  local goal{number} = have("{step.kind}") + {step.many}\n'
    return f"""{before}  for attempt = 1, 3 do
    if have("{step.kind}") >= {goal} then break end
    {step.skill}(bot)
  end
"""


def make_room():
    """Lua that throws away what nothing is made of, and cobblestone beyond a stack."""
    names = " or ".join(f'name == "{name}"' for name in JUNK)
    return f"""  for name, many in pairs(bot:inventory()) do
    if {names} or name:sub(-8) == "_sapling" then
      bot:toss(name, many)
    elseif name == "cobblestone" and many > 64 then
      bot:toss(name, many - 64)
    end
  end
"""


def function_of(name, steps, seen, roles):
    """Lua: the first SUB_STEPS of its own among the steps, and the calls before the next."""
    text, own = make_room() if seen.slots_left < 4 else "", 0
    for number, step in enumerate(steps):
        if step.skill:
            text += call_step(step, number)
            continue
        if own == SUB_STEPS:
            text += "  -- the rest is for the next round\n"
            break
        own += 1
        text += own_step(step, number, seen, roles)
    return f"function {name}(bot)\n{HAVE}{text}end\n"
