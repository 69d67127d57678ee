-- Smelts `count` items (1 if left out) called `itemName`, burning `fuelName`, in a furnace within 32 blocks.
-- Returns how many it smelted; 0, and says why, where it cannot.
function smeltItem(bot, itemName, fuelName, count)
  count = count or 1
  if type(itemName) ~= "string" then error("smeltItem: itemName must be the name of an item", 2) end
  if type(fuelName) ~= "string" then error("smeltItem: fuelName must be the name of an item, such as \"coal\"", 2) end
  if math.type(count) == nil or count < 1 then error("smeltItem: count must be 1 or more", 2) end
  for _, name in ipairs({itemName, fuelName}) do
    local held = bot:inventory()[name]
    if not held then
      bot:chat("Could not smelt " .. itemName .. ": there is no " .. name .. " in the inventory.")
      return 0
    end
  end
  local furnace = bot:findBlocks({"furnace"}, 32, 1)[1]
  if not furnace then
    bot:chat("Could not smelt " .. itemName .. ": there is no furnace within 32 blocks, place one first.")
    return 0
  end
  bot:goTo(furnace.x, furnace.y, furnace.z, 3)
  local smelted = 0
  while smelted < count do
    local some, why = bot:smelt(itemName, fuelName, math.min(count - smelted, 64))
    if not some then
      bot:chat("Smelted " .. smelted .. " of " .. count .. " " .. itemName .. ": " .. why .. ".")
      return smelted
    end
    smelted = smelted + some
  end
  bot:chat("Smelted " .. smelted .. " " .. itemName .. ".")
  return smelted
end
