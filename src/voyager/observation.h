#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fields/json.h"

namespace caravel::voyager {

struct Position {
  double x = 0, y = 0, z = 0;  // y is up

  bool operator==(const Position&) const = default;
};

struct NearbyEntity {
  std::string name;
  double distance = 0;  // blocks

  bool operator==(const NearbyEntity&) const = default;
};

/// What the player is told of the world and of itself, in whichever world: what Voyager's prompts are made of (Wang et
/// al., 2023, section 2.1 and appendix A.3). Names are Minecraft's ("oak_log").
struct Observation {
  int64_t tick = 0;  // of the world; 20 are a second, 24,000 a day
  std::string biome;
  std::string time_of_day;  // "day", "sunset", "night", "sunrise"
  double health = 0;        // of 20
  double food = 0;          // of 20
  Position position;
  std::map<std::string, int> inventory;                      // name: how many
  int slots_used = 0, slots = 0;                             // of the inventory
  std::map<std::string, std::string> equipment;              // "hand": "stone_pickaxe"
  std::vector<std::string> nearby_blocks;                    // kinds, nearest first
  std::vector<NearbyEntity> nearby_entities;                 // nearest first
  std::map<std::string, std::map<std::string, int>> chests;  // "(x, y, z)": what was in it when it was last open
  std::map<std::string, int64_t> counts;  // of what was done since the world began: "mined:oak_log", "crafted:stick",
                                          // "smelted:", "killed:", "placed:", "eaten:"; of some worlds "got:"; for
                                          // checks, not for prompts

  bool operator==(const Observation&) const = default;
};

Json to_json(const Observation& observation);
/// Throws FormatError.
Observation observation_from(const Json& json);

}  // namespace caravel::voyager
