#include "mini/task_words.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/numbers.h"
#include "mini/creature_kinds.h"
#include "mini/items.h"

namespace caravel::mini {
namespace {

using Verb = TaskWords::Verb;

constexpr int kMostAsked = 1'000'000;

std::vector<std::string> lower_words(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((low >= 'a' && low <= 'z') || (low >= '0' && low <= '9'))
      words.back() += low;
    else if (low == '_' || low == ' ' || low == '-' || low == '\t')
      words.emplace_back();
  }
  std::erase(words, "");
  return words;
}

std::optional<Verb> verb_of(std::string_view word) {
  static const std::map<std::string_view, Verb> kVerbs = {
      {"mine", Verb::kMine},      {"dig", Verb::kMine},       {"chop", Verb::kMine},     {"harvest", Verb::kMine},
      {"craft", Verb::kCraft},    {"make", Verb::kCraft},     {"smelt", Verb::kSmelt},   {"cook", Verb::kSmelt},
      {"kill", Verb::kKill},      {"hunt", Verb::kKill},      {"slay", Verb::kKill},     {"defeat", Verb::kKill},
      {"place", Verb::kPlace},    {"plant", Verb::kPlace},    {"obtain", Verb::kObtain}, {"get", Verb::kObtain},
      {"acquire", Verb::kObtain}, {"collect", Verb::kObtain}, {"gather", Verb::kObtain}, {"eat", Verb::kEat},
      {"consume", Verb::kEat},    {"equip", Verb::kEquip},    {"wear", Verb::kEquip}};
  const auto found = kVerbs.find(word);
  return found == kVerbs.end() ? std::nullopt : std::optional(found->second);
}

std::optional<int> number_of(std::string_view word) {
  constexpr std::string_view kNumbers[] = {"zero",   "one",      "two",      "three",   "four",   "five",
                                           "six",    "seven",    "eight",    "nine",    "ten",    "eleven",
                                           "twelve", "thirteen", "fourteen", "fifteen", "sixteen"};
  if (word == "a" || word == "an" || word == "the" || word == "some") return 1;
  if (word == "dozen") return 12;
  for (size_t i = 1; i < std::size(kNumbers); ++i)
    if (word == kNumbers[i]) return static_cast<int>(i);
  const std::optional<int> number = parse_number<int>(word);
  return number && *number > 0 && *number <= kMostAsked ? number : std::nullopt;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// "furnaces": furnaces, furnace, furnac...: what the plural may be of, itself first.
std::vector<std::string> singulars(const std::string& word) {
  std::vector<std::string> all = {word};
  if (word.ends_with("s")) all.push_back(word.substr(0, word.size() - 1));
  if (word.ends_with("es")) all.push_back(word.substr(0, word.size() - 2));
  if (word.ends_with("ies")) all.push_back(word.substr(0, word.size() - 3) + "y");
  if (word.ends_with("ves")) all.push_back(word.substr(0, word.size() - 3) + "f");
  return all;
}

std::vector<std::string> of_any_wood(std::string_view kind) {
  std::vector<std::string> names;
  for (const std::string_view wood : kWoodNames) names.push_back(std::string(wood) + "_" + std::string(kind));
  return names;
}

/// Names that no table has, and what they mean.
std::vector<std::string> by_other_name(const std::string& name) {
  static const std::map<std::string_view, std::string_view> kOthers = {
      {"wool", "white_wool"},    {"bed", "white_bed"},          {"carpet", "white_carpet"},
      {"lapis", "lapis_lazuli"}, {"redstone_dust", "redstone"}, {"workbench", "crafting_table"},
      {"seed", "wheat_seeds"},   {"iron", "raw_iron"},          {"gold", "raw_gold"},
      {"copper", "raw_copper"},  {"raw_beef", "beef"},          {"raw_porkchop", "porkchop"},
      {"raw_mutton", "mutton"},  {"raw_chicken", "chicken"},    {"raw_rabbit", "rabbit"},
      {"steak", "cooked_beef"},  {"clay", "clay_ball"},         {"tall_grass", "grass"},
      {"berry", "sweet_berries"}};
  if (const auto found = kOthers.find(name); found != kOthers.end()) return {std::string(found->second)};
  if (is_one_of(name, {"wood", "log", "wood_log", "wooden_log", "tree"})) return of_any_wood("log");
  if (is_one_of(name, {"planks", "plank", "wood_planks", "wooden_planks", "wood_plank", "wooden_plank"}))
    return of_any_wood("planks");
  for (const std::string_view kind : {"leaves", "sapling", "slab", "stairs", "fence", "fence_gate", "door", "trapdoor",
                                      "button", "pressure_plate", "sign", "boat"})
    if (name == kind || name == "wooden_" + std::string(kind) || name == "wood_" + std::string(kind))
      return of_any_wood(kind);
  if (name == "flower") return {"dandelion", "poppy", "oxeye_daisy", "cornflower"};
  if (name == "mushroom") return {"brown_mushroom", "red_mushroom"};
  std::vector<std::string> kinds;
  for (int i = 0; i < kKinds; ++i) {
    const KindInfo& kind = info(static_cast<Kind>(i));
    if (kind.hostile ? is_one_of(name, {"monster", "hostile_mob", "mob", "hostile"})
                     : is_one_of(name, {"animal", "mob"}))
      kinds.emplace_back(kind.name);
  }
  if (!kinds.empty()) return kinds;
  for (const auto& [said, meant] : {std::pair{"wood_", "wooden_"}, {"gold_", "golden_"}})
    if (name.starts_with(said) && item_named(meant + name.substr(std::string_view(said).size())))
      return {meant + name.substr(std::string_view(said).size())};
  return {};
}

}  // namespace

std::optional<TaskWords> read_task(std::string_view task) {
  const std::vector<std::string> words = lower_words(task);
  if (words.empty()) return std::nullopt;
  const std::optional<Verb> verb = verb_of(words[0]);
  if (!verb) return std::nullopt;
  TaskWords read{.verb = *verb};
  size_t i = 1;
  for (; i < words.size(); ++i) {
    if (words[i] == "more" || words[i] == "at" || words[i] == "least" || words[i] == "down" || words[i] == "up")
      continue;
    const std::optional<int> number = number_of(words[i]);
    if (!number) break;
    const bool is_dozens = words[i] == "dozen" && read.count > 1;
    read.count = is_dozens ? std::min(read.count * 12, kMostAsked) : *number;
  }
  for (; i < words.size(); ++i) {
    if (is_one_of(words[i], {"and", "or", "then"})) return std::nullopt;
    if (words[i] == "of" &&
        is_one_of(read.target, {"piece", "pieces", "block", "blocks", "unit", "units", "loaf", "loaves"})) {
      read.target.clear();
      continue;
    }
    if (is_one_of(words[i],
                  {"with", "using", "in", "from", "near", "by", "to", "into", "for", "on", "at", "of", "while"})) {
      // "Place a torch on the wall and go": the rest may hold another task.
      if (std::any_of(words.begin() + static_cast<int64_t>(i), words.end(),
                      [](const std::string& w) { return w == "and" || w == "then"; }))
        return std::nullopt;
      break;
    }
    read.target += (read.target.empty() ? "" : "_") + words[i];
  }
  if (read.target.empty()) return std::nullopt;
  return read;
}

std::vector<std::string> names_meant(std::string_view words) {
  for (const std::string& name : singulars(std::string(words))) {
    if (const std::vector<std::string> others = by_other_name(name); !others.empty()) return others;
    if (item_named(name) || block_named(name) || kind_named(name)) return {name};
  }
  return {};
}

}  // namespace caravel::mini
