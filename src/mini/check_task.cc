#include <algorithm>

#include "mini/creature_kinds.h"
#include "mini/items.h"
#include "mini/recipes.h"
#include "mini/task_words.h"
#include "mini/world.h"

namespace caravel::mini {
namespace {

using Verb = TaskWords::Verb;

/// Blocks of these names, and those that give these items: mining a stone is mining cobblestone.
std::vector<std::string> blocks_to_mine(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (const BlockInfo& block : blocks()) {
    const auto meant = [&](const std::string& name) {
      return !name.empty() && std::find(names.begin(), names.end(), name) != names.end();
    };
    if (meant(block.name) || meant(block.drop)) all.push_back(block.name);
  }
  return all;
}

/// What a furnace makes of these; those that it makes stay.
std::vector<std::string> products(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (size_t i = 0; i < items().size(); ++i) {
    const std::optional<ItemId> made = smelted(static_cast<ItemId>(i));
    if (!made) continue;
    const std::string& to = info(*made).name;
    const auto meant = [&](const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (meant(items()[i].name) || meant(to)) all.push_back(to);
  }
  return all;
}

int64_t done(std::string_view what, std::vector<std::string> names, const voyager::Observation& before,
             const voyager::Observation& after) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  int64_t total = 0;
  for (const std::string& name : names) {
    const std::string key = std::string(what) + ":" + name;
    if (const auto now = after.counts.find(key); now != after.counts.end()) total += now->second;
    if (const auto then = before.counts.find(key); then != before.counts.end()) total -= then->second;
  }
  return total;
}

int64_t held(const std::vector<std::string>& names, const voyager::Observation& observation) {
  int64_t total = 0;
  for (const std::string& name : names)
    if (const auto found = observation.inventory.find(name); found != observation.inventory.end())
      total += found->second;
  return total;
}

bool worn(const std::vector<std::string>& names, const voyager::Observation& observation) {
  return std::any_of(observation.equipment.begin(), observation.equipment.end(), [&](const auto& piece) {
    return std::find(names.begin(), names.end(), piece.second) != names.end();
  });
}

}  // namespace

std::optional<bool> check_task(std::string_view task, const voyager::Observation& before,
                               const voyager::Observation& after) {
  const std::optional<TaskWords> words = read_task(task);
  if (!words) return std::nullopt;
  const std::vector<std::string> names = names_meant(words->target);
  if (names.empty()) return std::nullopt;
  switch (words->verb) {
    case Verb::kMine:
      if (const std::vector<std::string> meant = blocks_to_mine(names); !meant.empty())
        return done("mined", meant, before, after) >= words->count;
      return std::nullopt;
    case Verb::kCraft:
      if (std::none_of(names.begin(), names.end(), [](const std::string& name) {
            return item_named(name) && !recipes_of(*item_named(name)).empty();
          }))
        return std::nullopt;
      return done("crafted", names, before, after) >= words->count;
    case Verb::kSmelt:
      if (const std::vector<std::string> meant = products(names); !meant.empty())
        return done("smelted", meant, before, after) >= words->count;
      return std::nullopt;
    case Verb::kKill:
      if (!kind_named(names.front())) return std::nullopt;
      return done("killed", names, before, after) >= words->count;
    case Verb::kPlace:
      return done("placed", names, before, after) >= words->count;
    case Verb::kEat:
      return done("eaten", names, before, after) >= words->count;
    case Verb::kEquip:
      return worn(names, after);
    case Verb::kObtain:
      return held(names, after) >= words->count;
    case Verb::kCollect:
      return held(names, after) - held(names, before) >= words->count;
  }
  return std::nullopt;
}

}  // namespace caravel::mini
