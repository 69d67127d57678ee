async function craftCraftingTable(bot) {
  const has = name => bot.inventory.count(mcData.itemsByName[name].id, null);
  if (has("oak_planks") + has("birch_planks") < 11) {
    const log = bot.inventory.items().find(item => item.name.endsWith("_log"));
    await craftItem(bot, log.name.replace("_log", "_planks"), 4);
  }
  await craftItem(bot, "crafting_table", 1);
}
