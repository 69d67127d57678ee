-- Eats the food called `name`, or the best of the inventory if that is left out.
-- Returns true; false, and says why, where it cannot.
function eatFood(bot, name)
  if name ~= nil and type(name) ~= "string" then error("eatFood: name must be the name of a food", 2) end
  local foods = {name}
  if name == nil then
    for _, food in ipairs({"cooked_beef", "cooked_porkchop", "pumpkin_pie", "cooked_mutton", "cooked_chicken",
                           "mushroom_stew", "cooked_rabbit", "bread", "apple", "golden_apple", "beef", "porkchop",
                           "rabbit", "mutton", "sweet_berries", "dried_kelp", "chicken", "rotten_flesh"}) do
      if bot:inventory()[food] then foods[#foods + 1] = food end
    end
  end
  local why = "there is no food in the inventory"
  for _, food in ipairs(foods) do
    local eaten, problem = bot:eat(food)
    if eaten then
      bot:chat("Ate " .. food .. ".")
      return true
    end
    why = problem
  end
  bot:chat("Did not eat: " .. why .. ".")
  return false
end
