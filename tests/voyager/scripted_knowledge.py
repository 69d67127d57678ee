"""What the scripted model knows of Minecraft beforehand, as a language model does: what is made of what, what is dug
with what. Of the world that it plays in it knows what prompts say alone.
"""

WOODS = ["oak", "birch", "spruce", "acacia"]
LOGS = [f"{wood}_log" for wood in WOODS]

# item: (blocks that give it, the least pickaxe for it, whether it lies deep). Any log is "log", any planks "planks".
GATHERED = {
    "log": (LOGS, None, 0),
    "dirt": (["dirt", "grass_block"], None, 0),
    "sand": (["sand"], None, 0),
    "gravel": (["gravel"], None, 0),
    "clay_ball": (["clay"], None, 0),
    "dandelion": (["dandelion"], None, 0),
    "poppy": (["poppy"], None, 0),
    "sugar_cane": (["sugar_cane"], None, 0),
    "cobblestone": (["stone", "cobblestone"], "wooden_pickaxe", 1),
    "coal": (["coal_ore"], "wooden_pickaxe", 1),
    "raw_iron": (["iron_ore"], "stone_pickaxe", 2),
    "raw_copper": (["copper_ore"], "stone_pickaxe", 2),
    "lapis_lazuli": (["lapis_ore"], "stone_pickaxe", 3),
    "raw_gold": (["gold_ore"], "iron_pickaxe", 3),
    "redstone": (["redstone_ore"], "iron_pickaxe", 3),
    "diamond": (["diamond_ore"], "iron_pickaxe", 3),
}

# item: (what one crafting makes, of what, at a table)
CRAFTED = {
    "planks": (4, {"log": 1}, False),
    "stick": (4, {"planks": 2}, False),
    "crafting_table": (1, {"planks": 4}, False),
    "torch": (4, {"coal": 1, "stick": 1}, False),
    "furnace": (1, {"cobblestone": 8}, True),
    "chest": (1, {"planks": 8}, True),
    "bowl": (4, {"planks": 3}, True),
    "ladder": (3, {"stick": 7}, True),
    "lever": (1, {"cobblestone": 1, "stick": 1}, False),
    "cobblestone_slab": (6, {"cobblestone": 3}, True),
    "cobblestone_stairs": (4, {"cobblestone": 6}, True),
    "cobblestone_wall": (6, {"cobblestone": 6}, True),
    "stone_bricks": (4, {"stone": 4}, False),
    "stone_button": (1, {"stone": 1}, False),
    "stone_slab": (6, {"stone": 3}, True),
    "campfire": (1, {"log": 3, "stick": 3, "coal": 1}, True),
    "yellow_dye": (1, {"dandelion": 1}, False),
    "red_dye": (1, {"poppy": 1}, False),
    "sugar": (1, {"sugar_cane": 1}, False),
    "sandstone": (1, {"sand": 4}, False),
    "iron_bars": (16, {"iron_ingot": 6}, True),
    "iron_nugget": (9, {"iron_ingot": 1}, False),
    "iron_door": (3, {"iron_ingot": 6}, True),
    "smithing_table": (1, {"iron_ingot": 2, "planks": 4}, True),
    "redstone_torch": (1, {"redstone": 1, "stick": 1}, False),
    "leather_boots": (1, {"leather": 4}, True),
    "clock": (1, {"gold_ingot": 4, "redstone": 1}, True),
    "glass_pane": (16, {"glass": 6}, True),
    "bucket": (1, {"iron_ingot": 3}, True),
    "shears": (1, {"iron_ingot": 2}, False),
    "shield": (1, {"planks": 6, "iron_ingot": 1}, True),
    "iron_helmet": (1, {"iron_ingot": 5}, True),
    "iron_boots": (1, {"iron_ingot": 4}, True),
    "iron_leggings": (1, {"iron_ingot": 7}, True),
    "iron_chestplate": (1, {"iron_ingot": 8}, True),
    "bricks": (1, {"brick": 4}, False),
    "paper": (3, {"sugar_cane": 3}, True),
    "clay": (1, {"clay_ball": 4}, False),
    "compass": (1, {"iron_ingot": 4, "redstone": 1}, True),
    "white_bed": (1, {"white_wool": 3, "planks": 3}, True),
}
for material, of in [("wooden", "planks"), ("stone", "cobblestone"), ("iron", "iron_ingot"), ("golden", "gold_ingot"),
                     ("diamond", "diamond")]:
    for tool, many in [("pickaxe", 3), ("axe", 3), ("sword", 2), ("shovel", 1), ("hoe", 2)]:
        CRAFTED[f"{material}_{tool}"] = (1, {of: many, "stick": 1 if tool == "sword" else 2}, True)

# item: what it is smelted of
SMELTED = {
    "iron_ingot": "raw_iron",
    "copper_ingot": "raw_copper",
    "gold_ingot": "raw_gold",
    "charcoal": "log",
    "glass": "sand",
    "stone": "cobblestone",
    "smooth_stone": "stone",
    "brick": "clay_ball",
    "cooked_beef": "beef",
    "cooked_porkchop": "porkchop",
    "cooked_chicken": "chicken",
    "cooked_mutton": "mutton",
}
KILLED = {
    "beef": "cow", "leather": "cow", "porkchop": "pig", "chicken": "chicken", "feather": "chicken", "mutton": "sheep",
    "white_wool": "sheep", "rotten_flesh": "zombie", "bone": "skeleton", "string": "spider",
}
FOODS = ["cooked_beef", "cooked_porkchop", "cooked_chicken", "cooked_mutton", "bread", "apple", "beef", "porkchop",
         "mutton"]

# The tech tree, a step at a time: (what is to be there, how many of it a task asks for).
LADDER = [("log", 4), ("planks", 8), ("crafting_table", 1), ("stick", 4), ("wooden_pickaxe", 1), ("cobblestone", 11),
          ("stone_pickaxe", 1), ("furnace", 1), ("coal", 3), ("raw_iron", 3), ("iron_ingot", 3), ("iron_pickaxe", 1),
          ("diamond", 3), ("diamond_pickaxe", 1)]

# What is worth having beside it, nearest first; the deeper ones come when the tools are there.
SIDE = ["wooden_sword", "wooden_axe", "wooden_shovel", "dirt", "chest", "bowl", "dandelion", "poppy", "yellow_dye",
        "red_dye", "sand", "sandstone", "gravel", "beef", "porkchop", "mutton", "chicken", "sugar_cane", "sugar", "paper",
        "stone_sword", "stone_axe", "stone_shovel", "stone_hoe", "wooden_hoe", "ladder", "lever", "cobblestone_slab",
        "cobblestone_stairs", "cobblestone_wall", "torch", "charcoal", "campfire", "glass", "stone", "stone_bricks",
        "stone_button", "stone_slab", "smooth_stone", "cooked_beef", "cooked_porkchop", "cooked_mutton", "cooked_chicken",
        "clay_ball", "brick", "glass_pane", "raw_copper", "copper_ingot", "iron_sword", "iron_axe", "iron_shovel",
        "iron_hoe", "bucket", "shears", "shield", "iron_nugget", "smithing_table", "white_bed", "iron_boots",
        "iron_helmet", "iron_bars", "iron_door", "raw_gold", "redstone", "redstone_torch", "lapis_lazuli", "gold_ingot",
        "golden_sword", "golden_pickaxe", "compass", "clock", "diamond_sword", "diamond_axe", "iron_leggings",
        "iron_chestplate"]

JUNK = ["dirt", "gravel", "granite", "diorite", "andesite", "rotten_flesh", "wheat_seeds", "spider_eye"]

NEARLY = {  # how it misremembers names
    "log": "wood_log", "planks": "wooden_plank", "cobblestone": "cobble_stone", "raw_iron": "raw_iron_ore",
    "stick": "wood_stick", "crafting_table": "workbench", "coal": "coal_lump", "diamond": "diamond_gem",
}


def is_kind(name, kind):
    """Whether an item of the world is what it calls `kind`: any oak_log is a log."""
    return name == kind or (kind in ("log", "planks") and name.endswith("_" + kind))


def held(inventory, kind):
    return sum(many for name, many in inventory.items() if is_kind(name, kind))
