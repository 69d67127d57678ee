-- Takes up again what was placed: the block called `name` at `position`, {x=, y=, z=}.
-- Returns true; false, and says why, where it cannot.
function givePlacedItemBack(bot, name, position)
  if type(name) ~= "string" then error("givePlacedItemBack: name must be the name of a block", 2) end
  if type(position) ~= "table" then error("givePlacedItemBack: position must be {x=, y=, z=}", 2) end
  local x, y, z = position.x, position.y, position.z
  local there, why = bot:blockAt(x, y, z)
  local dug
  if there == name then
    bot:goTo(x, y, z, 3)
    dug, why = bot:dig(x, y, z)
  elseif there then
    why = "there is " .. there
  end
  if dug then
    bot:chat("Took up the " .. name .. ".")
    return true
  end
  bot:chat("Could not take up the " .. name .. ": " .. why .. ".")
  return false
end
