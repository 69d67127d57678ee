#include "mini/inventory.h"

#include <algorithm>

#include "base/check.h"

namespace caravel::mini {

int Inventory::count(ItemId item) const {
  int count = 0;
  for (const Stack& stack : slots_)
    if (stack.item == item) count += stack.count;
  return count;
}

std::map<std::string, int> Inventory::by_name() const {
  std::map<std::string, int> names;
  for (const Stack& stack : slots_)
    if (stack.count > 0) names[info(stack.item).name] += stack.count;
  return names;
}

int Inventory::used() const {
  return static_cast<int>(std::count_if(slots_.begin(), slots_.end(), [](const Stack& s) { return s.count > 0; }));
}

int Inventory::room(ItemId item) const {
  const int most = info(item).stack;
  int room = 0;
  for (const Stack& stack : slots_)
    if (stack.count == 0)
      room += most;
    else if (stack.item == item)
      room += most - stack.count;
  return room;
}

int Inventory::add(ItemId item, int count, int wear) {
  const int most = info(item).stack;
  for (const bool free : {false, true})
    for (Stack& stack : slots_) {
      if (count == 0) return 0;
      if (free ? stack.count > 0 : stack.item != item || stack.count >= most) continue;
      const int added = std::min(count, most - stack.count);
      stack = {item, static_cast<int16_t>(stack.count + added), static_cast<int16_t>(free ? wear : stack.wear)};
      count -= added;
    }
  return count;
}

void Inventory::take(ItemId item, int count) {
  for (auto stack = slots_.rbegin(); stack != slots_.rend() && count > 0; ++stack) {
    if (stack->item != item) continue;
    const int taken = std::min<int>(count, stack->count);
    stack->count = static_cast<int16_t>(stack->count - taken);
    if (stack->count == 0) *stack = {};
    count -= taken;
  }
  CARAVEL_CHECK_EQ(count, 0);
}

std::optional<Stack> Inventory::take_one(ItemId item) {
  Stack* best = nullptr;
  for (Stack& stack : slots_)
    if (stack.item == item && (!best || stack.wear < best->wear)) best = &stack;
  if (!best) return std::nullopt;
  const Stack taken = {item, 1, best->wear};
  if (--best->count == 0) *best = {};
  return taken;
}

bool Inventory::wear_out(ItemId item) {
  Stack* worn = nullptr;
  for (Stack& stack : slots_)
    if (stack.item == item && (!worn || stack.wear > worn->wear)) worn = &stack;
  if (!worn || info(item).durability == 0) return false;
  if (++worn->wear < info(item).durability) return false;
  *worn = {};
  return true;
}

}  // namespace caravel::mini
