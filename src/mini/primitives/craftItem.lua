-- Crafts `count` items (1 if left out) called `name` from what is in the inventory; goes to a crafting_table within 32
-- blocks where the recipe needs one. Returns how many it made, which may be some more; 0, and says why, where it cannot.
function craftItem(bot, name, count)
  count = count or 1
  if type(name) ~= "string" then error("craftItem: name must be the name of an item", 2) end
  if math.type(count) == nil or count < 1 then error("craftItem: count must be 1 or more", 2) end
  local recipe, problem = bot:recipe(name)
  if not recipe then error("craftItem: " .. problem, 2) end
  if recipe.table then
    local table_at = bot:findBlocks({"crafting_table"}, 32, 1)[1]
    if table_at then bot:goTo(table_at.x, table_at.y, table_at.z, 3) end
  end
  local made, why = bot:craft(name, count)
  if made then
    bot:chat("Crafted " .. made .. " " .. name .. ".")
    return made
  end
  if recipe.furnace then why = why .. "; a furnace makes it, with smeltItem" end
  bot:chat("Could not craft " .. name .. ": " .. why .. ".")
  return 0
end
