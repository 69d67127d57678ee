#include "mini/blocks.h"

#include <unordered_map>

#include "base/check.h"

namespace caravel::mini {
namespace {

/// Adds rows in the order of their numbers.
class BlockTable {
 public:
  BlockTable() {
    terrain();
    ores();
    plants();
    rules();
    woods();
    CARAVEL_CHECK_EQ(rows_.size(), static_cast<size_t>(Block::kNamed));
    built();
    CARAVEL_CHECK_LE(rows_.size(), size_t{256});
  }
  std::vector<BlockInfo> take() { return std::move(rows_); }

 private:
  BlockInfo& add(std::string name, int hardness, Tool tool, Tier tier, uint32_t colour) {
    BlockInfo row{.name = name, .hardness = hardness, .tool = tool, .tier = tier, .drop = name, .colour = colour};
    return rows_.emplace_back(std::move(row));
  }
  BlockInfo& rock(std::string name, int hardness, uint32_t colour) {
    return add(std::move(name), hardness, Tool::kPickaxe, Tier::kWood, colour);
  }
  BlockInfo& ore(std::string name, Tier tier, std::string drop, int least, int most, uint32_t colour) {
    BlockInfo& row = add(std::move(name), 300, Tool::kPickaxe, tier, colour);
    row.drop = std::move(drop);
    row.least = least;
    row.most = most;
    return row;
  }
  BlockInfo& plant(std::string name, uint32_t colour) {
    BlockInfo& row = add(std::move(name), 0, Tool::kNone, Tier::kHand, colour);
    row.solid = row.opaque = false;
    return row;
  }
  BlockInfo& wooden(std::string name, int hardness, uint32_t colour) {
    return add(std::move(name), hardness, Tool::kAxe, Tier::kHand, colour);
  }

  void terrain() {
    for (const auto& [name, colour] :
         {std::pair{"air", 0x000000u}, {"bedrock", 0x333333u}, {"water", 0x3f66c8u}, {"lava", 0xe0701au}}) {
      BlockInfo& row = add(name, -1, Tool::kNone, Tier::kHand, colour);
      row.drop.clear();
      row.placeable = false;
      if (row.name == "bedrock") continue;
      row.solid = row.opaque = false;
      row.replaceable = true;
    }
    rock("stone", 150, 0x7f7f7f).drop = "cobblestone";
    rock("granite", 150, 0x956756);
    rock("diorite", 150, 0xbcbcbc);
    rock("andesite", 150, 0x888888);
    rock("cobblestone", 200, 0x747474);
    add("dirt", 50, Tool::kShovel, Tier::kHand, 0x866043);
    add("grass_block", 60, Tool::kShovel, Tier::kHand, 0x6aa84f).drop = "dirt";
    add("sand", 50, Tool::kShovel, Tier::kHand, 0xdbcfa3);
    rock("sandstone", 80, 0xd5c998);
    add("gravel", 60, Tool::kShovel, Tier::kHand, 0x83807e);
    BlockInfo& clay = add("clay", 60, Tool::kShovel, Tier::kHand, 0xa0a6b3);
    clay.drop = "clay_ball";
    clay.least = clay.most = 4;
    BlockInfo& snow = add("snow", 10, Tool::kShovel, Tier::kWood, 0xf4fbfb);
    snow.drop = "snowball";
    snow.solid = snow.opaque = false;
    snow.replaceable = true;
    snow.placeable = false;
    BlockInfo& snow_block = add("snow_block", 20, Tool::kShovel, Tier::kWood, 0xf9fefe);
    snow_block.drop = "snowball";
    snow_block.least = snow_block.most = 4;
    BlockInfo& ice = add("ice", 50, Tool::kPickaxe, Tier::kHand, 0x9cc0f0);
    ice.drop.clear();
    ice.opaque = ice.placeable = false;
    add("obsidian", 5000, Tool::kPickaxe, Tier::kDiamond, 0x14121e);
  }

  void ores() {
    ore("coal_ore", Tier::kWood, "coal", 1, 1, 0x454545);
    ore("iron_ore", Tier::kStone, "raw_iron", 1, 1, 0xb08f74);
    ore("copper_ore", Tier::kStone, "raw_copper", 2, 4, 0x9a7a5a);
    ore("gold_ore", Tier::kIron, "raw_gold", 1, 1, 0xd6c25a);
    ore("redstone_ore", Tier::kIron, "redstone", 4, 5, 0xa04040);
    ore("lapis_ore", Tier::kStone, "lapis_lazuli", 4, 8, 0x3c58a8);
    ore("emerald_ore", Tier::kIron, "emerald", 1, 1, 0x46b46e);
    ore("diamond_ore", Tier::kIron, "diamond", 1, 1, 0x62d8d8);
  }

  void plants() {
    for (const char* name : {"grass", "fern"}) {  // wheat_seeds come by chance: digging.cc
      BlockInfo& row = plant(name, 0x6aa84f);
      row.drop.clear();
      row.replaceable = true;
      row.placeable = false;
    }
    BlockInfo& bush = plant("dead_bush", 0x8a6a3a);
    bush.drop = "stick";
    bush.most = 2;
    bush.placeable = false;
    plant("dandelion", 0xe8d83a);
    plant("poppy", 0xd83a3a);
    plant("oxeye_daisy", 0xe8e8e8);
    plant("cornflower", 0x5a78e0);
    plant("brown_mushroom", 0x96705a);
    plant("red_mushroom", 0xc84a4a);
    plant("lily_pad", 0x3f7a3a);
    plant("sugar_cane", 0x90c070);
    BlockInfo& cactus = plant("cactus", 0x4f7a2f);
    cactus.hardness = 40;
    cactus.solid = true;
    wooden("pumpkin", 100, 0xd8842a);
    BlockInfo& berries = plant("sweet_berry_bush", 0x4a7a4a);
    berries.drop = "sweet_berries";
    berries.least = 2;
    berries.most = 3;
    berries.placeable = false;
    plant("kelp", 0x3f7a5a);
    BlockInfo& farmland = add("farmland", 60, Tool::kShovel, Tier::kHand, 0x6a4a30);
    farmland.drop = "dirt";
    farmland.placeable = false;
    BlockInfo& young = plant("wheat", 0x7aa83a);
    young.drop = "wheat_seeds";
    young.placeable = false;
    BlockInfo& ripe = plant("wheat", 0xd8c060);
    ripe.placeable = false;
  }

  void rules() {
    wooden("crafting_table", 250, 0x9a6a3a);
    rock("furnace", 350, 0x5f5f5f);
    wooden("chest", 250, 0xa87830).opaque = false;
    wooden("white_bed", 20, 0xd8d8d8).opaque = false;
    plant("torch", 0xf8d860);
    BlockInfo& ladder = wooden("ladder", 40, 0x9a7a4a);
    ladder.solid = ladder.opaque = false;
  }

  void woods() {
    constexpr uint32_t kLog[kWoods] = {0x6b5232, 0xd7d3cb, 0x3b2811, 0x676157};
    constexpr uint32_t kLeaves[kWoods] = {0x3f7a2a, 0x5f8a3f, 0x33582f, 0x6a8a2a};
    for (int i = 0; i < kWoods; ++i) wooden(std::string(kWoodNames[i]) + "_log", 200, kLog[i]);
    for (int i = 0; i < kWoods; ++i) {  // saplings, sticks and apples come by chance: digging.cc
      BlockInfo& row = add(std::string(kWoodNames[i]) + "_leaves", 20, Tool::kHoe, Tier::kHand, kLeaves[i]);
      row.drop.clear();
      row.opaque = false;  // some light and some sight come through
    }
    for (int i = 0; i < kWoods; ++i) plant(std::string(kWoodNames[i]) + "_sapling", 0x4f8a3a);
  }

  void built() {
    constexpr uint32_t kPlanks[kWoods] = {0xa2834f, 0xc0af79, 0x735531, 0xa85a32};
    for (int i = 0; i < kWoods; ++i) {
      const std::string wood(kWoodNames[i]);
      for (const char* kind : {"_planks", "_slab", "_stairs"}) wooden(wood + kind, 200, kPlanks[i]);
      for (const char* kind : {"_fence", "_fence_gate"}) wooden(wood + kind, 200, kPlanks[i]).opaque = false;
      for (const char* kind : {"_door", "_trapdoor", "_button", "_pressure_plate", "_sign"}) {
        BlockInfo& row = wooden(wood + kind, 100, kPlanks[i]);  // doors are open to whoever comes
        row.solid = row.opaque = false;
      }
    }
    for (const char* name : {"stone_slab", "stone_stairs", "smooth_stone", "smooth_stone_slab", "cobblestone_slab",
                             "cobblestone_stairs", "cobblestone_wall", "stone_bricks", "cracked_stone_bricks",
                             "chiseled_stone_bricks", "stone_brick_slab", "stone_brick_stairs", "stone_brick_wall",
                             "polished_granite", "polished_diorite", "polished_andesite", "stonecutter"})
      rock(name, 150, 0x808080);
    for (const char* name :
         {"cut_sandstone", "chiseled_sandstone", "smooth_sandstone", "sandstone_slab", "sandstone_stairs"})
      rock(name, 80, 0xd5c998);
    for (const char* name : {"bricks", "brick_slab", "brick_stairs"}) rock(name, 200, 0x966153);
    rock("terracotta", 125, 0x985e43);
    for (const char* name : {"blast_furnace", "smoker"}) rock(name, 350, 0x5f5f5f);
    rock("coal_block", 500, 0x101010);
    for (const auto& [name, colour] : {std::pair{"iron_block", 0xdcdcdcu},
                                       {"copper_block", 0xc06b4fu},
                                       {"raw_iron_block", 0xa6886bu},
                                       {"raw_copper_block", 0x9a6a4fu},
                                       {"lapis_block", 0x1f438cu}})
      rock(name, 500, colour).tier = Tier::kStone;
    for (const auto& [name, colour] : {std::pair{"gold_block", 0xf6d03du},
                                       {"diamond_block", 0x62ede4u},
                                       {"raw_gold_block", 0xdda92fu},
                                       {"emerald_block", 0x2acb58u},
                                       {"redstone_block", 0xaf1805u}})
      rock(name, 500, colour).tier = Tier::kIron;
    for (const char* name :
         {"iron_bars", "iron_door", "iron_trapdoor", "anvil", "cauldron", "hopper", "lantern", "chain"}) {
      BlockInfo& row = rock(name, 500, 0xd0d0d0);
      row.opaque = false;
      row.solid = row.name != "iron_door" && row.name != "iron_trapdoor";
    }
    for (const char* name : {"bookshelf", "barrel", "jukebox", "note_block", "loom", "composter", "lectern",
                             "cartography_table", "fletching_table", "smithing_table", "campfire"})
      wooden(name, 200, 0xa2834f);
    add("white_wool", 80, Tool::kShears, Tier::kHand, 0xe9ecec);
    BlockInfo& carpet = add("white_carpet", 10, Tool::kNone, Tier::kHand, 0xe9ecec);
    carpet.solid = carpet.opaque = false;
    add("hay_block", 50, Tool::kHoe, Tier::kHand, 0xa88b0c);
    for (const char* name : {"glass", "glass_pane"}) {
      BlockInfo& row = add(name, 30, Tool::kNone, Tier::kHand, 0xc0e0e8);
      row.drop.clear();
      row.opaque = false;
    }
    add("jack_o_lantern", 100, Tool::kAxe, Tier::kHand, 0xe8a03a);
    add("dried_kelp_block", 50, Tool::kHoe, Tier::kHand, 0x32401e);
    add("bone_block", 200, Tool::kPickaxe, Tier::kWood, 0xe5e1cf);
    add("tnt", 0, Tool::kNone, Tier::kHand, 0xd84a32);
    for (const char* name : {"rail", "lever", "redstone_torch", "stone_button", "stone_pressure_plate", "flower_pot"}) {
      BlockInfo& row = add(name, 50, Tool::kNone, Tier::kHand, 0x909090);
      row.solid = row.opaque = false;
    }
  }
  std::vector<BlockInfo> rows_;
};

}  // namespace

const std::vector<BlockInfo>& blocks() {
  static const std::vector<BlockInfo> all = BlockTable().take();
  return all;
}

const BlockInfo& info(Block block) { return blocks()[static_cast<size_t>(block)]; }

std::optional<Block> block_named(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, Block> map;
    for (size_t i = 0; i < blocks().size(); ++i) map.emplace(blocks()[i].name, static_cast<Block>(i));
    return map;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? std::nullopt : std::optional(found->second);
}

const BlockFlags& block_flags() {
  static const BlockFlags flags = [] {
    BlockFlags made;
    for (size_t i = 0; i < blocks().size(); ++i) {
      made.solid[i] = blocks()[i].solid;
      made.opaque[i] = blocks()[i].opaque;
    }
    return made;
  }();
  return flags;
}

}  // namespace caravel::mini
