#include "voyager/made_run.h"

#include <filesystem>

#include "fixtures.h"

namespace caravel::voyager {
namespace {

Observation at(int64_t tick, double x, double z, std::map<std::string, int> inventory) {
  Observation seen;
  seen.tick = tick;
  seen.biome = "forest";
  seen.time_of_day = "day";
  seen.health = 20;
  seen.food = 18;
  seen.position = {x, 64, z};
  seen.inventory = std::move(inventory);
  return seen;
}

CallRow call(int64_t number, int64_t iteration, Role role, const std::string& mark) {
  CallRow row;
  row.number = number;
  row.iteration = iteration;
  row.model = "small-model" + mark;
  row.request.role = role;
  row.request.messages = {{"system", "You play." + std::string(600, 'r') + mark},
                          {"user", "call " + std::to_string(number) + mark}};
  row.answer.text = "answer " + std::to_string(number) + mark;
  row.answer.prompt_tokens = 1000;
  row.answer.completion_tokens = 50;
  row.answer.seconds = 1.5;
  row.answer.cost = 0.001;
  return row;
}

}  // namespace

MadeRun::MadeRun(const std::string& name) : folder_(caravel::tests::temporary_path(name)) {
  store_ = std::make_unique<RunStore>(folder_, RunStore::Open::kWriting);
}

MadeRun::~MadeRun() {
  store_.reset();
  std::filesystem::remove_all(folder_);
}

void write_small_run(RunStore& run, const std::string& mark) {
  run.set_setup({{"world",
                  {{"name", "mini"},
                   {"language", "Lua 5.4"},
                   {"extension", ".lua"},
                   {"tiers",
                    {{{"name", "wood" + mark}, {"items", {"wooden_pickaxe", "wooden_axe"}}},
                     {{"name", "stone"}, {"items", {"stone_pickaxe"}}},
                     {{"name", "iron"}, {"items", {"iron_pickaxe"}}}}}}},
                 {"agent", {{"seed", 7}, {"goal", "a goal" + mark}}},
                 {"names", {{"curriculum", "small"}, {"action", "large" + mark}, {"critic", "small"}}},
                 {"prompts", {{"action", "line\nline" + mark}}}});
  run.put(IterationRow{.number = 1,
                       .task = "Mine 1 wood log" + mark,
                       .context = "By hand." + mark,
                       .reason = "It is first." + mark,
                       .success = true,
                       .rounds = 2,
                       .skill = "mineWoodLog",
                       .skill_version = 2});
  run.put(IterationRow{.number = 2, .task = "Craft 1 wooden pickaxe", .rounds = 2});
  run.put(IterationRow{.number = 3, .task = "Craft 1 stone pickaxe", .success = true, .rounds = 1});
  run.put(IterationRow{.number = 4, .task = "Mine 1 iron ore"});

  StepRow step{.iteration = 1, .round = 1, .code = "function a(bot)\n  fail()" + mark + "\nend", .main = "a"};
  step.before = at(0, 0, 0, {});
  step.after = at(100, 0, 0, {{"stick", 1}});
  step.events = {{Event::Kind::kChat, 50, "No tree here." + mark}, {Event::Kind::kHurt, 60, "zombie" + mark}};
  step.error = CodeError{.message = "fail is nil" + mark, .where = "code", .line = 2, .trace = "code:2 in a" + mark};
  step.judged = false;
  step.critique = "Look for trees." + mark;
  step.checked = false;
  run.put(step);
  step = {.iteration = 1, .round = 2, .code = "function b(bot)\nend", .main = "b", .skills_shown = {"mineWoodLog"}};
  step.before = at(100, 0, 0, {{"stick", 1}});
  step.after = at(300, 8, 4, {{"oak_log", 3}});
  step.events = {{Event::Kind::kItem, 210, "oak_log" + mark}};
  step.judged = true;
  step.checked = true;
  run.put(step);
  step = {.iteration = 2, .round = 1};
  step.before = step.after = at(300, 8, 4, {{"oak_log", 3}});
  step.judged = true;
  step.checked = false;
  run.put(step);
  step.round = 2;
  step.judged = std::nullopt;
  step.checked = std::nullopt;
  run.put(step);
  step = {.iteration = 3, .round = 1, .code = "mineWoodLog(bot)", .main = "c", .skills_used = {"mineWoodLog"}};
  step.before = at(300, 8, 4, {{"oak_log", 3}});
  step.after = at(900, 20, -9, {{"oak_log", 3}, {"stone_pickaxe", 1}});
  step.judged = false;
  step.checked = true;
  run.put(step);

  run.add(ItemRow{"oak_log" + mark, 1, 210});
  run.add(ItemRow{"wooden_pickaxe", 2, 400});
  run.add(ItemRow{"cobblestone", 3, 500});
  run.add(ItemRow{"stone_pickaxe", 3, 600});
  for (const int version : {1, 2}) {
    run.add(SkillRow{.name = "mineWoodLog",
                     .version = version,
                     .code = "-- version " + std::to_string(version) + mark,
                     .description = "Mines a log." + mark,
                     .uses = {},
                     .iteration = 1});
  }
  run.add(SkillRow{.name = "given", .code = "--", .description = "Was there.", .uses = {"mineWoodLog"}});

  run.add(QuestionRow{"What is a log?" + mark, "Wood." + mark, {1, 0}, 1});
  int64_t number = 0;
  for (const auto& [iteration, role] : {std::pair{1, Role::kPropose},
                                        {1, Role::kAction},
                                        {1, Role::kCritic},
                                        {2, Role::kPropose},
                                        {3, Role::kAction}}) {
    CallRow row = call(++number, iteration, role, mark);
    if (number == 2) {
      row.answer.reasoning = "thought" + mark;
      row.answer.retries = {"status 429" + mark, "no connection"};
      row.answer.is_cut = true;
      row.answer.counted = false;
    }
    run.add(row);
  }
  run.put_world("saved", at(900, 20, -9, {{"oak_log", 3}, {"stone_pickaxe", 1}}));
  run.put_ending({{"kind", "budget"}, {"text", "the budget of 5 calls is spent" + mark}});
}

}  // namespace caravel::voyager
