async function mineCobblestone(bot) {
  const pickaxe = bot.inventory.findInventoryItem(mcData.itemsByName["wooden_pickaxe"].id);
  await bot.equip(pickaxe, "hand");
  const cobblestone = () => bot.inventory.count(mcData.itemsByName.cobblestone.id);
  for (let tries = 0; tries < 3 && cobblestone() < 5; tries++) {
    await mineBlock(bot, "stone", 5 - cobblestone());
  }
}
