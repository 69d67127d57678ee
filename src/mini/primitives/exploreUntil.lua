-- Walks towards `direction`, {x=, y=, z=} of -1, 0 or 1, until `callback()` gives something that is neither nil nor
-- false, for `maxTime` seconds at most (60 if left out); turns where there is no way on. Returns what callback gave, or
-- nil. y = -1 digs down, to the ores.
function exploreUntil(bot, direction, maxTime, callback)
  maxTime = maxTime or 60
  if type(direction) ~= "table" then error("exploreUntil: direction must be {x=, y=, z=}", 2) end
  if math.type(maxTime) == nil then error("exploreUntil: maxTime must be a number of seconds", 2) end
  if type(callback) ~= "function" then error("exploreUntil: callback must be a function", 2) end
  local dx, dy, dz = direction.x or direction[1] or 0, direction.y or direction[2] or 0, direction.z or direction[3] or 0
  if dx == 0 and dy == 0 and dz == 0 then error("exploreUntil: direction must not be 0, 0, 0", 2) end
  local ends, blocked = bot:tick() + maxTime * 20, 0
  local found = callback()
  while not found and bot:tick() < ends and blocked < 4 do
    local before = bot:tick()
    local moved = bot:explore(dx, dy, dz, math.min(40, math.ceil(ends - before)))
    if moved then
      blocked = 0
      if bot:tick() == before then bot:wait(1) end
    else
      blocked = blocked + 1
      if dx == 0 and dz == 0 then dx, dy = 1, 0 else dx, dz = -dz, dx end
    end
    found = callback()
  end
  if found then return found end
  if blocked == 4 then
    bot:chat("Stopped exploring: there is no way on.")
  else
    bot:chat("Explored for " .. maxTime .. " seconds and did not find it.")
  end
  return nil
end
