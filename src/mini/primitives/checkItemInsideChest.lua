-- Goes to the chest at `chestPosition`, {x=, y=, z=}, opens it and says what is in it.
-- Returns that as {name = count, ...}; nil, and says why, where it cannot.
function checkItemInsideChest(bot, chestPosition)
  if type(chestPosition) ~= "table" then error("checkItemInsideChest: chestPosition must be {x=, y=, z=}", 2) end
  local x, y, z = chestPosition.x, chestPosition.y, chestPosition.z
  bot:goTo(x, y, z, 3)
  local items, why = bot:openChest(x, y, z)
  if not items then
    bot:chat("Could not open the chest: " .. why .. ".")
    return nil
  end
  local texts = {}
  for name, count in pairs(items) do texts[#texts + 1] = count .. " " .. name end
  bot:chat("In the chest: " .. (#texts > 0 and table.concat(texts, ", ") or "nothing") .. ".")
  return items
end
