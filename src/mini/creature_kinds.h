#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace caravel::mini {

enum class Kind : uint8_t { kCow, kPig, kSheep, kChicken, kRabbit, kZombie, kSkeleton, kSpider, kCreeper };
inline constexpr int kKinds = 9;

struct Loot {
  std::string_view item;
  int least = 0, most = 1;
};

struct KindInfo {
  std::string_view name;
  int health = 10;  // half hearts
  bool hostile = false;
  int step_ticks = 0;   // from one step to the next, when it wants to go
  int reach = 1;        // blocks from which it hurts; 0: it does not
  int damage = 0;       // half hearts a blow
  int blow_ticks = 20;  // from one blow to the next
  std::vector<Loot> loot;
};

const KindInfo& info(Kind kind);
std::optional<Kind> kind_named(std::string_view name);

}  // namespace caravel::mini
