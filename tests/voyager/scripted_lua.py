"""The scripted model's Lua, for the world that is in the program."""

import re

from scripted_knowledge import JUNK, KILLED, SMELTED
from scripted_plan import directions_for, way_of

FENCE = "lua"
COMMENT = "--"

HAVE = """  local function have(kind)
    local total = 0
    for name, many in pairs(bot:inventory()) do
      if name == kind or name:sub(-#kind - 1) == "_" .. kind then total = total + many end
    end
    return total
  end
"""


def vectors(texts):
    return ", ".join("{x = %s, y = %s, z = %s}" % tuple(text.split(", ")) for text in texts)


def gather(step, goal, name, draw):
    blocks = ", ".join(f'"{block}"' for block in way_of(step.kind).blocks)
    if name != step.kind:
        return f'    mineBlock(bot, "{name}", {goal} - have("{step.kind}"))\n'
    return f"""    local blocks = {{{blocks}}}
    local directions = {{{vectors(directions_for(step.kind, draw))}}}
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
    return f"""    local directions = {{{vectors(directions_for(step.kind, draw))}}}
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


def broken(body):
    """It does not parse."""
    return re.sub(r" (then|do)\n", "\n", body, count=1)


def with_call(body, name, item):
    """A call of a function before the body's first loop."""
    return re.sub(r"\bfor attempt = 1, \d+ do\n", lambda m: f"    {name}(bot, \"{item}\")\n" + m[0], body)


def endless(kind):
    return f'    local ready = have("{kind}")\n    while ready < have("{kind}") + 1 do\n' \
           "      local waited = 0\n      for turn = 1, 1000 do waited = waited + turn end\n    end\n"


def goal_line(number, kind, many):
    return f'    local goal{number} = have("{kind}") + {many}\n'


def block(body):
    return f"  do\n{body}  end\n"


def call_to_place(kind, skill):
    return f'  if #(bot:findBlocks({{"{kind}"}}, 16, 1) or {{}}) == 0 then {skill}(bot) end\n'


def call_until(kind, goal, skill):
    return f"""  for attempt = 1, 3 do
    if have("{kind}") >= {goal} then break end
    {skill}(bot)
  end
"""


def make_room():
    """Throws away what nothing is made of, and cobblestone beyond a stack."""
    names = " or ".join(f'name == "{name}"' for name in JUNK)
    return f"""  for name, many in pairs(bot:inventory()) do
    if {names} or name:sub(-8) == "_sapling" then
      bot:toss(name, many)
    elseif name == "cobblestone" and many > 64 then
      bot:toss(name, many - 64)
    end
  end
"""


def function(name, body):
    return f"function {name}(bot)\n{body}end\n"


def plain_call(verb, kind, many):
    """One line for a task that it has no plan for."""
    return {"eat": f'eatFood(bot, "{kind}")', "equip": f'bot:equip("{kind}")', "kill": f'killMob(bot, "{kind}", 60)',
            "craft": f'craftItem(bot, "{kind}", {many})', "smelt": f'smeltItem(bot, "{kind}", "coal", {many})',
            "place": f'placeItem(bot, "{kind}", bot:position())'}.get(verb, f'mineBlock(bot, "{kind}", {many})')


EXPLORE = "  exploreUntil(bot, {x = 1, y = 0, z = 0}, 30, function() return nil end)\n"
NO_CHEST = "  bot:chat('there is no chest')\n"


def deposit(at, items):
    inside = ", ".join(f"{name} = {many}" for name, many in items)
    return f"  depositItemIntoChest(bot, {{x = {at[0]}, y = {at[1]}, z = {at[2]}}}, {{{inside}}})\n"
