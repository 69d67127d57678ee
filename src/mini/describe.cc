#include "mini/describe.h"

#include "mini/obtainable.h"
#include "mini/primitive_files.h"

namespace caravel::mini {
namespace {

struct CallHelp {
  const char* name;
  const char* parameters;
  const char* help;
};

constexpr CallHelp kCalls[] = {
    {"position", "", "{x, y, z} of the player's feet; y is up"},
    {"inventory", "", "{name = count, ...}"},
    {"health", "", "of 20"},
    {"food", "", "of 20"},
    {"biome", "", "its name"},
    {"timeOfDay", "", "\"sunrise\", \"day\", \"sunset\" or \"night\""},
    {"tick", "", "the world's time; 20 are a second"},
    {"heldItem", "", "its name, or nil"},
    {"blockAt", "x, y, z", "the name of the block there, \"air\" too"},
    {"findBlocks", "names, maxDistance, count",
     "a list of {x, y, z, name}, nearest first: blocks that are seen, or within 3; empty where there are none"},
    {"findEntities", "names, maxDistance",
     "a list of {id, name, x, y, z, distance, health}, nearest first; names may be nil"},
    {"recipe", "item", "{needs = {name = count}, makes, table, furnace}"},
    {"goTo", "x, y, z, range", "walks, digs and climbs to within range blocks (1)"},
    {"explore", "dx, dy, dz, ticks", "goes that way as far as it gets in so many ticks"},
    {"dig", "x, y, z", "digs a block within 4.5 with the best tool; its drop is taken: {block, item, count}"},
    {"place", "item, x, y, z", "places it within 4.5, beside another block"},
    {"craft", "item, count", "how many were made; within 4.5 of a crafting_table where the recipe needs one"},
    {"smelt", "item, fuel, count", "how many were made; within 4.5 of a furnace"},
    {"attack", "id", "one blow at a creature within reach: {name, health, killed}"},
    {"eat", "item", "the food that the player has then"},
    {"equip", "item", "into the hand, or worn"},
    {"toss", "item, count", "throws them away for good"},
    {"sleep", "", "in a bed within 4.5, at night"},
    {"openChest", "x, y, z", "{name = count, ...} of a chest within 4.5"},
    {"deposit", "x, y, z, item, count", "into that chest"},
    {"withdraw", "x, y, z, item, count", "out of that chest"},
    {"wait", "ticks", "lets time pass"},
    {"chat", "text", "says it: this is what feedback is made of"},
};

constexpr const char* kRules =
    "The world is made of blocks with Minecraft's names, recipes and tools; only what is seen can be found, so "
    "explore.\n"
    "What is dug or killed goes into the inventory at once. After death the player is back at the start with its "
    "things.";
constexpr const char* kCodeRules =
    "Code is Lua 5.4, not JavaScript: a task is a function NAME(bot) that takes the player alone. Calls are not "
    "awaited.\n"
    "Positions are tables {x=, y=, z=}; lists begin at 1. There is no os, io, require, load or Vec3.\n"
    "bot:NAME(...) gives a value, or nil and the reason. Loops must end: code is stopped after half a day of the "
    "world.";

/// "oak_x" to "diamond_x".
std::vector<std::string> tools_of(const std::string& material) {
  std::vector<std::string> names;
  for (const char* const tool : {"pickaxe", "sword", "axe", "shovel", "hoe"}) names.push_back(material + "_" + tool);
  return names;
}

/// What stands behind "-- " in the lines at the top.
std::string help_of(std::string_view source) {
  std::string help;
  while (source.starts_with("-- ")) {
    const size_t end = source.find('\n');
    if (!help.empty()) help += '\n';
    help += source.substr(3, end - 3);
    source.remove_prefix(end + 1);
  }
  return help;
}

/// The line that defines it, without the word "function".
std::string signature_of(std::string_view source) {
  constexpr std::string_view kWord = "\nfunction ";
  const size_t at = source.find(kWord) + kWord.size();
  return std::string(source.substr(at, source.find('\n', at) - at));
}

}  // namespace

std::vector<voyager::Primitive> primitives() {
  std::vector<voyager::Primitive> all;
  for (const EmbeddedFile& file : embedded_files()) {
    const std::string name(file.name.substr(0, file.name.find('.')));
    all.push_back({name, signature_of(file.bytes), help_of(file.bytes), std::string(file.bytes)});
  }
  return all;
}

std::vector<voyager::Primitive> player_calls() {
  std::vector<voyager::Primitive> all;
  for (const CallHelp& call : kCalls)
    all.push_back({call.name, std::string("bot:") + call.name + "(" + call.parameters + ")", call.help, ""});
  return all;
}

voyager::WorldDescription describe() {
  voyager::WorldDescription description = {.name = "mini",
                                           .language = "Lua 5.4",
                                           .fence = "lua",
                                           .extension = ".lua",
                                           .rules = kRules,
                                           .code_rules = kCodeRules,
                                           .primitives = primitives(),
                                           .tiers = {{"wood", tools_of("wooden")},
                                                     {"stone", tools_of("stone")},
                                                     {"iron", tools_of("iron")},
                                                     {"diamond", tools_of("diamond")}},
                                           .all_items = obtainable_items()};
  for (voyager::Primitive& call : player_calls()) description.primitives.push_back(std::move(call));
  return description;
}

}  // namespace caravel::mini
