#include "minecraft/describe.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "mini/describe.h"
#include "voyager/text_lines.h"

namespace caravel::minecraft {
namespace {

constexpr const char* kRules =
    "The world is Minecraft 1.19.2, survival, through mineflayer: what is dug or killed lies about until it is picked "
    "up.\n"
    "Blocks are searched for within 32 blocks of the player; explore for what is not there. After death the player is "
    "back at the start with its things.";
constexpr const char* kCodeRules =
    "Code is JavaScript for mineflayer: a task is async function NAME(bot), which takes the player alone. Await every "
    "call that gives a promise.\n"
    "There are bot with all of mineflayer's API (bot.findBlock, bot.inventory.items(), bot.pathfinder.goto(new "
    "GoalNear(x, y, z, 2)), bot.equip, bot.consume), mcData, Vec3 and mineflayer-pathfinder's goals; no require, "
    "import "
    "or process.\n"
    "Of bot.on and bot.once, timers and loops, nothing goes on after the function has ended. Say by bot.chat what was "
    "done.\n"
    "craftItem's count is how often the recipe is done: once gives 4 planks, 4 sticks.";

/// Calls of mineflayer's that the prompt names.
struct Call {
  const char* name;
  const char* signature;
  const char* help;
};
constexpr Call kCalls[] = {
    {"findBlock", "bot.findBlock({ matching: id or function, maxDistance })", "the nearest block, or null"},
    {"blockAt", "bot.blockAt(position)", "the block there: name, position"},
    {"nearestEntity", "bot.nearestEntity(entity => entity.name === 'cow')", "the nearest such creature, or null"},
    {"equip", "await bot.equip(item, 'hand')", "holds it; or 'head', 'torso', 'legs', 'feet', 'off-hand'"},
    {"consume", "await bot.consume()", "eats what is held"},
    {"dig", "await bot.dig(block)", "within 6 blocks, with what is held"},
    {"goto", "await bot.pathfinder.goto(goal)", "goes there, digging and building where it has to"},
    {"sleep", "await bot.sleep(bedBlock)", "at night"},
    {"waitForTicks", "await bot.waitForTicks(ticks)", "20 are a second"},
};

/// What stands behind "// " in the lines at the top.
std::string help_of(std::string_view source) {
  std::string help;
  for (const std::string_view line : voyager::lines_of(source)) {
    if (!line.starts_with("// ")) break;
    help += (help.empty() ? "" : "\n") + std::string(line.substr(3));
  }
  return help;
}

/// Each function at the top of a file, with the comment above it.
void add_functions(std::string_view source, std::vector<voyager::Primitive>& all) {
  size_t begin = 0;
  while (begin < source.size()) {
    const size_t close = source.find("\n}\n", begin);
    const size_t end = close == std::string_view::npos ? source.size() : close + 3;
    std::string_view part = source.substr(begin, end - begin);
    while (part.starts_with('\n')) part.remove_prefix(1);
    begin = end;
    constexpr std::string_view kWord = "function ";
    const size_t at = part.find(kWord);
    if (at == std::string_view::npos) continue;
    const std::string_view head = part.substr(at + kWord.size());
    const size_t space = head.find(' ');
    const size_t brace = head.find(") {");
    if (space == std::string_view::npos || brace == std::string_view::npos) continue;
    const std::string name(head.substr(0, space));
    all.push_back({name, name + std::string(head.substr(space + 1, brace - space)), help_of(part), std::string(part)});
  }
}

}  // namespace

voyager::WorldDescription describe(const Installation& installation, const std::string& name, double clock) {
  voyager::WorldDescription description = mini::describe();  // of the same tiers, and items that are here as well
  description.name = name;
  description.language = "JavaScript";
  description.fence = "javascript";
  description.extension = ".js";
  description.rules = kRules;
  description.code_rules = kCodeRules;
  description.repeats_itself = false;
  description.clock = clock;
  description.primitives.clear();
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(installation.script("skills/primitives")))
    files.push_back(file.path());
  std::ranges::sort(files);
  for (const std::filesystem::path& file : files) add_functions(read_input(file.string()), description.primitives);
  for (const Call& call : kCalls) description.primitives.push_back({call.name, call.signature, call.help, ""});
  return description;
}

}  // namespace caravel::minecraft
