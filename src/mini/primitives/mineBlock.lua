-- Mines `count` blocks (1 if left out) called `name`: the nearest that are seen within 32 blocks, walking and digging
-- there. Returns how many it mined; says why where these are fewer. None in sight: explore first.
function mineBlock(bot, name, count)
  count = count or 1
  if type(name) ~= "string" then error("mineBlock: name must be the name of a block", 2) end
  if math.type(count) == nil or count < 1 then error("mineBlock: count must be 1 or more", 2) end
  local mined, refused, given_up = 0, 0, {}
  local why = "no more is seen within 32 blocks, explore first"
  while mined < count and refused < 2 do
    local blocks, problem = bot:findBlocks({name}, 32, 16)
    if not blocks then error("mineBlock: " .. problem, 2) end
    local target
    for _, block in ipairs(blocks) do
      local place = block.x .. "," .. block.y .. "," .. block.z
      if not given_up[place] then
        target = block
        given_up[place] = true
        break
      end
    end
    if not target then break end
    local there, no_way = bot:goTo(target.x, target.y, target.z, 3)
    if there then
      local dug, no_use = bot:dig(target.x, target.y, target.z)
      if not dug then
        why, refused = no_use, refused + 1
      elseif dug.lost then
        why = "the inventory is full"
        break
      else
        mined = mined + 1
      end
    else
      why = no_way
    end
  end
  if mined >= count then
    bot:chat("Mined " .. mined .. " " .. name .. ".")
  else
    bot:chat("Mined " .. mined .. " of " .. count .. " " .. name .. ": " .. why .. ".")
  end
  return mined
end
