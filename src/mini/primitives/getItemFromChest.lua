-- Takes items out of the chest at `chestPosition`, {x=, y=, z=}: `itemsToGet` is {name = count, ...}.
-- Returns true; false, and says why, where one of them could not be had.
function getItemFromChest(bot, chestPosition, itemsToGet)
  if type(chestPosition) ~= "table" then error("getItemFromChest: chestPosition must be {x=, y=, z=}", 2) end
  if type(itemsToGet) ~= "table" then error("getItemFromChest: itemsToGet must be {name = count, ...}", 2) end
  local x, y, z = chestPosition.x, chestPosition.y, chestPosition.z
  bot:goTo(x, y, z, 3)
  local all = true
  for name, count in pairs(itemsToGet) do
    local got, why = bot:withdraw(x, y, z, name, count)
    if got then
      bot:chat("Took " .. got .. " " .. name .. " out of the chest.")
    else
      bot:chat("Could not take " .. name .. " out of the chest: " .. why .. ".")
      all = false
    end
  end
  return all
end
