#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mini/blocks.h"

namespace caravel::mini {

/// An item's number: its row in items(). Saved as it is.
using ItemId = int16_t;
inline constexpr ItemId kNoItem = -1;

/// Where a thing is worn; the hand holds anything.
enum class Wear : uint8_t { kHand, kHead, kTorso, kLegs, kFeet, kOffHand };
inline constexpr int kWears = 6;
inline constexpr std::string_view kWearNames[kWears] = {"hand", "head", "torso", "legs", "feet", "off-hand"};

struct ItemInfo {
  std::string name;
  int stack = 64;
  std::optional<Block> block = std::nullopt;  // what it becomes when it is placed
  Tool tool = Tool::kNone;
  Tier tier = Tier::kHand;
  int speed = 1;       // how many times faster than a hand it digs what its tool is for
  int durability = 0;  // uses; 0: it does not wear out
  int damage = 1;      // of a blow, in half hearts
  int food = 0;        // points that eating gives
  Wear wear = Wear::kHand;
  int armour = 0;  // points: each keeps a twenty-fifth of a blow away
  int burns = 0;   // ticks as fuel
};

const std::vector<ItemInfo>& items();
const ItemInfo& info(ItemId item);
std::optional<ItemId> item_named(std::string_view name);
/// For names that the tables themselves hold.
ItemId item_of(std::string_view name);

}  // namespace caravel::mini
