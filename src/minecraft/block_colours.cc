#include <string_view>

#include "minecraft/surface_map.h"
#include "mini/blocks.h"

namespace caravel::minecraft {
namespace {

struct Words {
  std::string_view word;
  uint32_t colour;
};

/// The first that a name has in it counts: what a thing is made of, before what it is.
constexpr Words kWords[] = {
    {"light_gray", 0x9d9d97},
    {"light_blue", 0x3ab3da},
    {"deepslate", 0x4f4f52},
    {"blackstone", 0x2a252c},
    {"sandstone", 0xd5c998},
    {"red_sand", 0xbe6621},
    {"dark_oak_leaves", 0x3a6a24},
    {"mangrove_leaves", 0x4a7a2f},
    {"jungle_leaves", 0x3f8a24},
    {"dark_oak", 0x4a3218},
    {"crimson", 0x7c2f3a},
    {"warped", 0x2b7a78},
    {"mangrove", 0x7a3a34},
    {"jungle", 0x4f8a2f},
    {"spruce", 0x33582f},
    {"azalea", 0x5f8a3f},
    {"leaves", 0x4a7a2f},
    {"moss", 0x596d2d},
    {"kelp", 0x3f7a5a},
    {"seagrass", 0x3f66c8},
    {"bubble_column", 0x3f66c8},
    {"water", 0x3f66c8},
    {"lava", 0xe0701a},
    {"ice", 0x9cc0f0},
    {"snow", 0xf4fbfb},
    {"mycelium", 0x6f6265},
    {"podzol", 0x5a3f18},
    {"mud", 0x3c393c},
    {"dirt_path", 0x947a41},
    {"dirt", 0x866043},
    {"netherrack", 0x61262a},
    {"nether", 0x2c161a},
    {"soul_", 0x51402f},
    {"basalt", 0x49484d},
    {"end_stone", 0xdbde9e},
    {"purpur", 0xa97da9},
    {"prismarine", 0x63a396},
    {"quartz", 0xebe5de},
    {"calcite", 0xdfe0dc},
    {"tuff", 0x6c6d66},
    {"amethyst", 0x8561bf},
    {"copper", 0xc06b4f},
    {"melon", 0x6f9130},
    {"mushroom", 0xa0654a},
    {"bamboo", 0x5f8f2f},
    {"cactus", 0x4f7a2f},
    {"vine", 0x3f7a2a},
    {"dripleaf", 0x6f9a3a},
    {"tulip", 0xd8803a},
    {"lilac", 0xb080b8},
    {"rose", 0xc83a3a},
    {"peony", 0xd8a0c0},
    {"allium", 0xa868c8},
    {"sunflower", 0xe8c83a},
    {"azure_bluet", 0xe0e4e8},
    {"orchid", 0x3aa8d8},
    {"lily_of_the_valley", 0xe8f0e8},
    {"carrots", 0x5f8a2f},
    {"potatoes", 0x5f8a2f},
    {"beetroots", 0x5f8a2f},
    {"birch", 0xc0af79},
    {"acacia", 0xa85a32},
    {"oak", 0xa2834f},
    {"redstone", 0xaf1805},
    {"stone", 0x7f7f7f},
    {"coral", 0xd86ab0},
    {"brick", 0x966153},
    {"white", 0xe9ecec},
    {"orange", 0xf07613},
    {"magenta", 0xbd44b3},
    {"yellow", 0xf8c627},
    {"lime", 0x70b919},
    {"pink", 0xed8dac},
    {"gray", 0x3e4447},
    {"cyan", 0x158991},
    {"purple", 0x792aac},
    {"blue", 0x35399d},
    {"brown", 0x724728},
    {"green", 0x546d1b},
    {"red", 0xa12722},
    {"black", 0x141519},
    {"sapling", 0x4f8a3a},
};
constexpr uint32_t kOther = 0x808080;

}  // namespace

uint32_t block_colour(const std::string& name) {
  if (const auto block = mini::block_named(name)) return mini::info(*block).colour;
  for (const auto& [word, colour] : kWords)
    if (name.find(word) != std::string::npos) return colour;
  return kOther;
}

}  // namespace caravel::minecraft
