"""The scripted model's JavaScript for mineflayer, for a Minecraft world."""

import re

from scripted_knowledge import JUNK, KILLED, SMELTED
from scripted_plan import directions_for, way_of

FENCE = "javascript"
COMMENT = "//"

HAVE = """  const have = kind => bot.inventory.items().filter(item => item.name === kind || item.name.endsWith("_" + kind)).reduce((sum, item) => sum + item.count, 0)
"""


def vectors(texts):
    return ", ".join(f"new Vec3({text})" for text in texts)


def gather(step, goal, name, draw):
    if name != step.kind:
        return f'    await mineBlock(bot, "{name}", {goal} - have("{step.kind}"))\n'
    ids = ", ".join(f"mcData.blocksByName.{block}.id" for block in way_of(step.kind).blocks)
    return f"""    const find = () => bot.findBlock({{ matching: [{ids}], maxDistance: 32 }})
    const directions = [{vectors(directions_for(step.kind, draw))}]
    for (let attempt = 0; attempt < 8; attempt++) {{
      if (have("{step.kind}") >= {goal}) break
      const found = find()
      if (found) await mineBlock(bot, found.name, {goal} - have("{step.kind}"))
      else await exploreUntil(bot, directions[attempt % directions.length], 45, find)
    }}
"""


def craft(step, goal, name, draw):
    missing = f'{goal} - have("{step.kind}")'
    if step.kind == "planks" and name == "planks":
        return f"""    for (const {{ name, count }} of bot.inventory.items()) {{
      if (!name.endsWith("_log") || have("planks") >= {goal}) continue
      await craftItem(bot, name.replace("_log", "_planks"), Math.min(count, Math.ceil(({missing}) / 4)))
    }}
"""
    makes = way_of(step.kind).makes
    return f"""    if (have("{step.kind}") < {goal}) {{
      await craftItem(bot, "{name}", Math.ceil(({missing}) / {makes}))
    }}
"""


def pick_name(variable, kind):
    """A name of the inventory that is of this kind."""
    if kind not in ("log", "planks"):
        return f'    const {variable} = "{kind}"\n'
    return f'    const {variable} = (bot.inventory.items().find(item => item.name.endsWith("_{kind}")) ?? {{ name: "oak_{kind}" }}).name\n'


def smelt(step, goal, name, draw):
    of = SMELTED.get(step.kind, step.kind)
    what = pick_name("chosen", of) if name == step.kind else f'    const chosen = "{name}"\n'
    return what + pick_name("fuel", step.of or "coal") + f"""    if (have("{step.kind}") < {goal}) {{
      await smeltItem(bot, chosen, fuel, {goal} - have("{step.kind}"))
    }}
"""


def kill(step, goal, name, draw):
    if name != step.kind:
        return f'    await killMob(bot, "{name}", 60)\n'
    mob = KILLED[step.kind]
    return f"""    const find = () => bot.nearestEntity(entity => entity.name === "{mob}" && entity.position.distanceTo(bot.entity.position) < 40)
    const directions = [{vectors(directions_for(step.kind, draw))}]
    for (let attempt = 0; attempt < 6; attempt++) {{
      if (have("{step.kind}") >= {goal}) break
      if (find()) await killMob(bot, "{mob}", 60)
      else await exploreUntil(bot, directions[attempt % 4], 45, find)
    }}
"""


def place(step, goal, name, draw):
    return f"""    const here = bot.entity.position.floored()
    const beside = [0, -1, 1].flatMap(dy => [[1, 0], [0, 1], [-1, 0], [0, -1]].map(([dx, dz]) => here.offset(dx, dy, dz)))
    for (const at of beside.filter(place => bot.blockAt(place.offset(0, -1, 0)).boundingBox === "block")) {{
      if (bot.findBlock({{ matching: mcData.blocksByName.{step.kind}.id, maxDistance: 4 }})) break
      if (bot.blockAt(at).boundingBox === "block") await bot.dig(bot.blockAt(at))
      await placeItem(bot, "{name}", at)
    }}
"""


WRITERS = {"gather": gather, "craft": craft, "smelt": smelt, "kill": kill, "place": place}


def broken(body):
    """It does not parse."""
    return re.sub(r"\) \{\n", " {\n", body, count=1)


def with_call(body, name, item):
    """A call of a function before the body's first loop."""
    return re.sub(r"    for \(let attempt = 0;", lambda m: f"    await {name}(bot, \"{item}\")\n" + m[0], body)


def endless(kind):
    return f'    const ready = have("{kind}")\n    while (ready < have("{kind}") + 1) {{\n' \
           "      let waited = 0\n      for (let turn = 0; turn < 1000; turn++) waited += turn\n    }\n"


def goal_line(number, kind, many):
    return f'    const goal{number} = have("{kind}") + {many}\n'


def block(body):
    return f"  {{\n{body}  }}\n"


def call_to_place(kind, skill):
    return f"  if (!bot.findBlock({{ matching: mcData.blocksByName.{kind}.id, maxDistance: 16 }})) await {skill}(bot)\n"


def call_until(kind, goal, skill):
    return f"""  for (let attempt = 0; attempt < 3; attempt++) {{
    if (have("{kind}") >= {goal}) break
    await {skill}(bot)
  }}
"""


def make_room():
    """Throws away what nothing is made of, and cobblestone beyond a stack."""
    names = ", ".join(f'"{name}"' for name in JUNK)
    return f"""  for (const item of bot.inventory.items()) {{
    if ([{names}].includes(item.name) || item.name.endsWith("_sapling")) await bot.tossStack(item)
  }}
  if (have("cobblestone") > 64) await bot.toss(mcData.itemsByName.cobblestone.id, null, have("cobblestone") - 64)
"""


def function(name, body):
    return f"async function {name}(bot) {{\n{body}}}\n"


def hold(kind):
    return f'await bot.equip(bot.inventory.findInventoryItem(mcData.itemsByName.{kind}.id), "hand")'


def plain_call(verb, kind, many):
    """One line for a task that it has no plan for."""
    return {"eat": hold(kind) + "\n  await bot.consume()", "equip": hold(kind), "kill": f'await killMob(bot, "{kind}", 60)',
            "craft": f'await craftItem(bot, "{kind}", {many})', "smelt": f'await smeltItem(bot, "{kind}", "coal", {many})',
            "place": f'await placeItem(bot, "{kind}", bot.entity.position)'}.get(verb, f'await mineBlock(bot, "{kind}", {many})')


EXPLORE = "  await exploreUntil(bot, new Vec3(1, 0, 0), 30, () => false)\n"
NO_CHEST = "  bot.chat('there is no chest')\n"


def deposit(at, items):
    inside = ", ".join(f"{name}: {many}" for name, many in items)
    return f"  await depositItemIntoChest(bot, new Vec3({', '.join(at)}), {{ {inside} }})\n"
