#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::mini {

/// A task in the words of a curriculum: "Mine 3 wood logs", "craft an iron pickaxe".
struct TaskWords {
  enum class Verb : uint8_t { kMine, kCraft, kSmelt, kKill, kPlace, kObtain, kEat, kEquip };
  Verb verb = Verb::kMine;
  int count = 1;
  std::string target;  // "wood_logs": the words of the thing
};

/// Nothing where it is not of this form: another verb, two things at once, no thing.
std::optional<TaskWords> read_task(std::string_view task);

/// "wood_logs": {"oak_log", "birch_log", ...}; "pigs": {"pig"}. Names of items, blocks and creatures that these words
/// may mean; none where they mean nothing here.
std::vector<std::string> names_meant(std::string_view words);

}  // namespace caravel::mini
