async function craftStoneTools(bot) {
  const table = bot.findBlock({
    matching: mcData.blocksByName["crafting_table"].id,
    maxDistance: 64
  });
  await bot.pathfinder.goto(new GoalNear(table.position.x, table.position.y, table.position.z, 2));
  await craftItem(bot, "stone_pickaxe", 1);
  await craftItem(bot, "stone_shovel", 1);
  await givePlacedItemBack(bot, "crafting_table", table.position);
}
