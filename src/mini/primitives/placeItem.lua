-- Places a block called `name` from the inventory at `position`, {x=, y=, z=}, or beside the player if that is left
-- out. Returns the position; nil, and says why, where it cannot.
function placeItem(bot, name, position)
  if type(name) ~= "string" then error("placeItem: name must be the name of an item", 2) end
  if position ~= nil and not (type(position) == "table" and position.x and position.y and position.z) then
    error("placeItem: position must be {x=, y=, z=}", 2)
  end
  local places, why = {position}, nil
  if position == nil then
    local me = bot:position()
    for _, dy in ipairs({0, 1, -1}) do
      for _, side in ipairs({{1, 0}, {0, 1}, {-1, 0}, {0, -1}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}}) do
        places[#places + 1] = {x = me.x + side[1], y = me.y + dy, z = me.z + side[2]}
      end
    end
  else
    bot:goTo(position.x, position.y, position.z, 3)
  end
  for _, place in ipairs(places) do
    local placed, problem = bot:place(name, place.x, place.y, place.z)
    if placed then
      bot:chat("Placed " .. name .. " at " .. place.x .. ", " .. place.y .. ", " .. place.z .. ".")
      return place
    end
    why = why or problem
  end
  bot:chat("Could not place " .. name .. ": " .. why .. ".")
  return nil
end
