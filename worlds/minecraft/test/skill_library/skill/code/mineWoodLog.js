async function mineWoodLog(bot) {
  const logNames = ["oak_log", "birch_log", "spruce_log", "jungle_log", "acacia_log", "dark_oak_log"];
  const wanted = 5;
  const logCount = () => bot.inventory.items().filter(item => logNames.includes(item.name)).reduce((sum, item) => sum + item.count, 0);
  const findLog = () => bot.findBlock({
    matching: block => logNames.includes(block.name),
    maxDistance: 32
  });
  const logBlock = findLog() || (await exploreUntil(bot, new Vec3(1, 0, 1), 60, findLog));
  if (!logBlock) {
    bot.chat("Could not find a wood log.");
    return;
  }
  while (logCount() < wanted) {
    const before = logCount();
    await mineBlock(bot, logBlock.name, wanted - before);
    if (logCount() === before) break;
  }
  bot.chat(`Wood logs: ${logCount()}.`);
}
