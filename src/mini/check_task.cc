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

/// How often it was done between the two.
int64_t times(std::string_view what, std::vector<std::string> names, const voyager::Observation& before,
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

/// So many were gained, or some were, and now so many are held: who tops up to the number has done what was asked.
bool gained_enough(int64_t gained, int64_t now, int count) { return gained >= count || (gained > 0 && now >= count); }

/// What blocks give, or are called: what is held after they were mined.
std::vector<std::string> drops_of(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (const std::string& name : names) {
    const std::optional<Block> block = block_named(name);
    for (const std::string& item : {name, block ? info(*block).drop : std::string()})
      if (!item.empty() && std::find(all.begin(), all.end(), item) == all.end()) all.push_back(item);
  }
  return all;
}

bool is_crafted(const std::string& name) {
  const std::optional<ItemId> item = item_named(name);
  return item && !recipes_of(*item).empty();
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
  const int count = words->count;
  const auto gained = [&](std::string_view what, const std::vector<std::string>& done,
                          const std::vector<std::string>& got) {
    return gained_enough(times(what, done, before, after), held(got, after), count);
  };
  switch (words->verb) {
    case Verb::kMine: {
      const std::vector<std::string> mined = blocks_to_mine(names);
      return mined.empty() ? std::nullopt : std::optional(gained("mined", mined, drops_of(mined)));
    }
    case Verb::kCraft:
      if (std::none_of(names.begin(), names.end(), is_crafted)) return std::nullopt;
      return gained("crafted", names, names);
    case Verb::kSmelt: {
      const std::vector<std::string> made = products(names);
      return made.empty() ? std::nullopt : std::optional(gained("smelted", made, made));
    }
    case Verb::kKill:
      return kind_named(names.front()) ? std::optional(times("killed", names, before, after) >= count) : std::nullopt;
    case Verb::kPlace:
      return times("placed", names, before, after) >= count;
    case Verb::kEat:
      return times("eaten", names, before, after) >= count;
    case Verb::kEquip:
      return worn(names, after);
    case Verb::kObtain:
      return gained_enough(held(names, after) - held(names, before), held(names, after), count);
  }
  return std::nullopt;
}

}  // namespace caravel::mini
