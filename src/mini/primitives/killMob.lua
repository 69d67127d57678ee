-- Goes to the nearest creature called `mobName` that is seen and attacks it until it is dead, for `timeout` seconds at
-- most (300 if left out). What it drops is taken. Returns true; false, and says why, where it did not.
function killMob(bot, mobName, timeout)
  timeout = timeout or 300
  if type(mobName) ~= "string" then error("killMob: mobName must be the name of a creature", 2) end
  if math.type(timeout) == nil then error("killMob: timeout must be a number of seconds", 2) end
  for _, sword in ipairs({"diamond_sword", "iron_sword", "stone_sword", "golden_sword", "wooden_sword"}) do
    if bot:inventory()[sword] and bot:equip(sword) then break end
  end
  local ends = bot:tick() + timeout * 20
  local why = "no " .. mobName .. " is seen within 32 blocks, explore first"
  while bot:tick() < ends do
    local mobs, problem = bot:findEntities({mobName}, 32)
    if not mobs then error("killMob: " .. problem, 2) end
    local mob = mobs[1]
    if not mob then break end
    local before = bot:tick()
    local there, no_way = bot:goTo(mob.x, mob.y, mob.z, 2)
    local blow, missed = bot:attack(mob.id)
    if blow and blow.killed then
      bot:chat("Killed a " .. mobName .. ".")
      return true
    end
    why = missed or no_way or ("it was alive after " .. timeout .. " seconds")
    if bot:tick() == before then bot:wait(10) end
  end
  bot:chat("Did not kill a " .. mobName .. ": " .. why .. ".")
  return false
end
