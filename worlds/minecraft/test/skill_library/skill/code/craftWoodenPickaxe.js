// Builds on two skills that came before it.
async function craftWoodenPickaxe(bot) {
  await mineWoodLog(bot);
  await craftCraftingTable(bot);
  await craftItem(bot, "stick", 2);
  await setDown(bot, "crafting_table");
  await craftItem(bot, "wooden_pickaxe", 1);
  bot.chat("Wooden pickaxe crafted.");
}

async function setDown(bot, name) {
  for (const [x, z] of [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]]) {
    const position = bot.entity.position.offset(x, 0, z).floored();
    const ground = bot.blockAt(position.offset(0, -1, 0));
    if (bot.blockAt(position).name !== "air" || ground.boundingBox !== "block") continue;
    await placeItem(bot, name, position);
    if (bot.blockAt(position).name === name) return;
  }
}
