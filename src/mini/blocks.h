#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::mini {

/// The kinds of blocks that terrain is made of or that a rule names; those that are only built with follow kNamed, in
/// the order of the table (blocks.cc). Saved as their number.
enum class Block : uint8_t {
  kAir,
  kBedrock,
  kWater,
  kLava,
  kStone,
  kGranite,
  kDiorite,
  kAndesite,
  kCobblestone,
  kDirt,
  kGrassBlock,
  kSand,
  kSandstone,
  kGravel,
  kClay,
  kSnow,
  kSnowBlock,
  kIce,
  kObsidian,
  kCoalOre,
  kIronOre,
  kCopperOre,
  kGoldOre,
  kRedstoneOre,
  kLapisOre,
  kEmeraldOre,
  kDiamondOre,
  kGrass,
  kFern,
  kDeadBush,
  kDandelion,
  kPoppy,
  kOxeyeDaisy,
  kCornflower,
  kBrownMushroom,
  kRedMushroom,
  kLilyPad,
  kSugarCane,
  kCactus,
  kPumpkin,
  kSweetBerryBush,
  kKelp,
  kFarmland,
  kYoungWheat,
  kWheat,
  kCraftingTable,
  kFurnace,
  kChest,
  kBed,
  kTorch,
  kLadder,
  kOakLog,
  kBirchLog,
  kSpruceLog,
  kAcaciaLog,
  kOakLeaves,
  kBirchLeaves,
  kSpruceLeaves,
  kAcaciaLeaves,
  kOakSapling,
  kBirchSapling,
  kSpruceSapling,
  kAcaciaSapling,
  kNamed
};

inline constexpr int kWoods = 4;
inline constexpr std::string_view kWoodNames[kWoods] = {"oak", "birch", "spruce", "acacia"};

constexpr Block wood_block(Block oak, int wood) { return static_cast<Block>(static_cast<int>(oak) + wood); }

enum class Tool : uint8_t { kNone, kPickaxe, kAxe, kShovel, kHoe, kSword, kShears };

/// Of what a tool is made: a block that asks for one gives nothing to lesser ones.
enum class Tier : uint8_t { kHand, kWood, kStone, kIron, kDiamond };

struct BlockInfo {
  std::string name;
  int hardness = 0;  // hundredths of Minecraft's; below 0: cannot be dug
  Tool tool = Tool::kNone;
  Tier tier = Tier::kHand;   // kHand: anything gets its drop
  std::string drop;          // an item's name; empty: nothing
  int least = 1, most = 1;   // how many of it
  bool solid = true;         // nobody is inside, and one stands on it
  bool opaque = true;        // hides what is behind it, and keeps the sky out
  bool replaceable = false;  // gives way to what is placed
  bool placeable = true;     // the item of its name becomes it
  uint32_t colour = 0;       // 0xRRGGBB, on maps
};

/// All, by number.
const std::vector<BlockInfo>& blocks();
const BlockInfo& info(Block block);
std::optional<Block> block_named(std::string_view name);

inline bool is_liquid(Block block) { return block == Block::kWater || block == Block::kLava; }

/// One bit of information in an array by number, for loops over many cells.
struct BlockFlags {
  bool solid[256] = {}, opaque[256] = {};
};
const BlockFlags& block_flags();
inline bool is_solid(Block block) { return block_flags().solid[static_cast<uint8_t>(block)]; }
inline bool is_opaque(Block block) { return block_flags().opaque[static_cast<uint8_t>(block)]; }

}  // namespace caravel::mini
