#include "voyager/prompt_texts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/printable.h"
#include "voyager/draws.h"

namespace caravel::voyager {
namespace {

constexpr size_t kMostKinds = 20;  // of blocks and creatures that are named
constexpr size_t kMostLine = 300;  // bytes of a line of chat

bool is_core(std::string_view item) {
  constexpr std::string_view kMaterials[] = {"stick", "crafting_table", "furnace", "cobblestone", "dirt", "coal"};
  constexpr std::string_view kTools[] = {"_log", "_planks", "_pickaxe", "_sword", "_axe"};
  return std::ranges::find(kMaterials, item) != std::end(kMaterials) ||
         std::ranges::any_of(kTools, [item](std::string_view end) { return item.ends_with(end); });
}

std::string entities_text(const std::vector<NearbyEntity>& entities) {
  std::vector<std::string> texts;
  for (const NearbyEntity& entity : entities)
    if (texts.size() < kMostKinds) texts.push_back(fmt::format("{} ({:.0f} away)", entity.name, entity.distance));
  return texts.empty() ? "none" : fmt::format("{}", fmt::join(texts, ", "));
}

std::string line_of_code(std::string_view code, int line) {
  for (int i = 1; i < line; ++i) {
    const size_t end = code.find('\n');
    if (end == code.npos) return {};
    code.remove_prefix(end + 1);
  }
  return printable(code.substr(0, code.find('\n')), 160);
}

}  // namespace

ShownParts warm_up(int64_t completed, uint64_t seed, int64_t iteration) {
  constexpr double kShare = 0.8;
  uint64_t part = 0;
  const auto is_shown = [&](int64_t from) {
    return draw(seed, Draw::kShownParts, static_cast<uint64_t>(iteration) << 8 | part++) < kShare && completed >= from;
  };
  ShownParts shown;
  shown.entities = is_shown(5);
  shown.all_items = is_shown(7);
  shown.biome = is_shown(10);
  shown.time = is_shown(15);
  shown.health = is_shown(15);
  shown.food = is_shown(15);
  return shown;
}

std::string items_text(const std::map<std::string, int>& items) {
  std::vector<std::string> texts;
  for (const auto& [name, count] : items) texts.push_back(fmt::format("{}: {}", name, count));
  return texts.empty() ? "nothing" : fmt::format("{}", fmt::join(texts, ", "));
}

std::string observation_text(const Observation& observation, const ShownParts& shown) {
  std::string text;
  const auto line = [&text](std::string_view name, const std::string& value) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "\n", name, value);
  };
  if (shown.biome) line("Biome", observation.biome);
  if (shown.time) line("Time", observation.time_of_day);
  if (shown.blocks) {
    std::vector<std::string> blocks = observation.nearby_blocks;
    blocks.resize(std::min(blocks.size(), kMostKinds));
    line("Nearby blocks", blocks.empty() ? "none" : fmt::format("{}", fmt::join(blocks, ", ")));
  }
  if (shown.entities) line("Nearby creatures", entities_text(observation.nearby_entities));
  if (shown.health) line("Health", fmt::format("{:.1f} of 20", observation.health));
  if (shown.food) line("Hunger", fmt::format("{:.1f} of 20", observation.food));
  const Position& at = observation.position;
  line("Position", fmt::format("x={:.1f}, y={:.1f}, z={:.1f}", at.x, at.y, at.z));
  std::vector<std::string> equipment;
  for (const auto& [where, item] : observation.equipment) equipment.push_back(where + ": " + item);
  line("Equipment", equipment.empty() ? "none" : fmt::format("{}", fmt::join(equipment, ", ")));
  std::map<std::string, int> items = observation.inventory;
  if (!shown.all_items) std::erase_if(items, [](const auto& item) { return !is_core(item.first); });
  line(fmt::format("Inventory ({}/{})", observation.slots_used, observation.slots), items_text(items));
  std::vector<std::string> chests;
  for (const auto& [where, content] : observation.chests) chests.push_back(where + " with " + items_text(content));
  if (!chests.empty()) line("Chests", fmt::format("{}", fmt::join(chests, "; ")));
  return text;
}

std::string changes_text(const Observation& before, const Observation& after) {
  std::map<std::string, int> changes = after.inventory;
  for (const auto& [name, count] : before.inventory) changes[name] -= count;
  std::vector<std::string> texts;
  for (const auto& [name, change] : changes)
    if (change != 0) texts.push_back(fmt::format("{} {:+}", name, change));
  return texts.empty() ? "nothing" : fmt::format("{}", fmt::join(texts, ", "));
}

std::string tasks_text(const std::vector<std::string>& tasks, size_t most) {
  if (tasks.empty()) return "none";
  const size_t from = tasks.size() - std::min(most, tasks.size());
  return fmt::format("{}{}", from > 0 ? fmt::format("{} earlier ones, ", from) : "",
                     fmt::join(tasks.begin() + static_cast<ptrdiff_t>(from), tasks.end(), ", "));
}

std::string events_text(const std::vector<Event>& events, size_t most) {
  std::vector<std::string> lines;
  for (const Event& event : events) {
    if (event.kind == Event::Kind::kChat) lines.push_back(printable(event.text, kMostLine));
    if (event.kind == Event::Kind::kHurt) lines.push_back("(hurt by " + printable(event.text, kMostLine) + ")");
    if (event.kind == Event::Kind::kDeath) lines.push_back("(died: " + printable(event.text, kMostLine) + ")");
  }
  if (lines.empty()) return "nothing";
  const size_t from = lines.size() - std::min(most, lines.size());
  return fmt::format("{}{}", from > 0 ? fmt::format("({} earlier lines)\n", from) : "",
                     fmt::join(lines.begin() + static_cast<ptrdiff_t>(from), lines.end(), "\n"));
}

std::string error_text(const std::optional<CodeError>& error, std::string_view code) {
  if (!error) return "none";
  std::string text = error->message;
  if (error->line > 0 && error->where == "code") {
    text += fmt::format("\nLine {} is: {}", error->line, line_of_code(code, error->line));
  } else if (error->line > 0 && !error->where.empty()) {
    text += fmt::format("\nThis is line {} of {}.", error->line, error->where);
  }
  if (!error->trace.empty()) text += "\nCalled from:\n" + error->trace;
  return text;
}

std::string shortened(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  const size_t end = text.substr(0, most).rfind('\n');
  return fmt::format("{}\n(cut: {} bytes of {})", text.substr(0, end == text.npos ? 0 : end), most, text.size());
}

}  // namespace caravel::voyager
