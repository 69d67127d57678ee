#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mini/items.h"

namespace caravel::mini {

/// Of one item, at most its stack size; a tool's or armour's wear counts its uses.
struct Stack {
  ItemId item = kNoItem;
  int16_t count = 0;
  int16_t wear = 0;

  bool operator==(const Stack&) const = default;
};

/// Places for stacks: the player's 36, a chest's 27.
class Inventory {
 public:
  explicit Inventory(int slots) : slots_(static_cast<size_t>(slots)) {}

  const std::vector<Stack>& slots() const { return slots_; }
  void set_slot(int slot, const Stack& stack) { slots_[static_cast<size_t>(slot)] = stack; }
  int count(ItemId item) const;
  /// Name: how many, of what there is.
  std::map<std::string, int> by_name() const;
  int used() const;

  /// How many more of it fit.
  int room(ItemId item) const;
  /// Fills stacks that are there, then free slots; how many found no room.
  int add(ItemId item, int count, int wear = 0);
  /// Takes that many, which must be there, the last slots first.
  void take(ItemId item, int count);
  /// One stack of it, whole (a tool with its wear): the least worn first.
  std::optional<Stack> take_one(ItemId item);
  /// One use of a tool, the most worn of its kind: true where it broke.
  bool wear_out(ItemId item);

 private:
  std::vector<Stack> slots_;
};

}  // namespace caravel::mini
