-- Puts items into the chest at `chestPosition`, {x=, y=, z=}: `itemsToDeposit` is {name = count, ...}.
-- Returns true; false, and says why, where one of them did not go in.
function depositItemIntoChest(bot, chestPosition, itemsToDeposit)
  if type(chestPosition) ~= "table" then error("depositItemIntoChest: chestPosition must be {x=, y=, z=}", 2) end
  if type(itemsToDeposit) ~= "table" then error("depositItemIntoChest: itemsToDeposit must be {name = count, ...}", 2) end
  local x, y, z = chestPosition.x, chestPosition.y, chestPosition.z
  bot:goTo(x, y, z, 3)
  local all = true
  for name, count in pairs(itemsToDeposit) do
    local put, why = bot:deposit(x, y, z, name, count)
    if put then
      bot:chat("Put " .. put .. " " .. name .. " into the chest.")
    else
      bot:chat("Could not put " .. name .. " into the chest: " .. why .. ".")
      all = false
    end
  end
  return all
end
