#include "mini/creature_kinds.h"

namespace caravel::mini {

const KindInfo& info(Kind kind) {
  static const std::array<KindInfo, kKinds> all = {{
      {"cow", 10, false, 10, 0, 0, 0, {{"beef", 1, 3}, {"leather", 0, 2}}},
      {"pig", 10, false, 10, 0, 0, 0, {{"porkchop", 1, 3}}},
      {"sheep", 8, false, 10, 0, 0, 0, {{"mutton", 1, 2}, {"white_wool", 1, 1}}},
      {"chicken", 4, false, 10, 0, 0, 0, {{"chicken", 1, 1}, {"feather", 0, 2}, {"egg", 0, 1}}},
      {"rabbit", 3, false, 6, 0, 0, 0, {{"rabbit", 0, 1}, {"rabbit_hide", 0, 1}}},
      {"zombie", 20, true, 9, 1, 2, 20, {{"rotten_flesh", 0, 2}}},
      {"skeleton", 20, true, 9, 10, 2, 40, {{"bone", 0, 2}, {"arrow", 0, 2}}},
      {"spider", 16, true, 7, 1, 2, 20, {{"string", 0, 2}, {"spider_eye", 0, 1}}},
      {"creeper", 20, true, 9, 2, 9, 30, {{"gunpowder", 0, 2}}},
  }};
  return all[static_cast<size_t>(kind)];
}

std::optional<Kind> kind_named(std::string_view name) {
  for (int i = 0; i < kKinds; ++i)
    if (info(static_cast<Kind>(i)).name == name) return static_cast<Kind>(i);
  return std::nullopt;
}

}  // namespace caravel::mini
