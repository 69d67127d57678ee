#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "base/error.h"
#include "voyager/environment.h"

namespace caravel::voyager {

/// A world of counters, whose language has a line for each thing that is done:
///   function NAME(bot) / end    one of these makes the code; NAME(helper) is none that takes the player
///   get ITEM N                  into the inventory (N may be negative)
///   say TEXT                    chat
///   call NAME                   a skill's code
///   fail TEXT                   an error on this line
///   slow                        at its top: cannot be loaded as a skill
///   bad                         is no code
/// It is a function of its calls: the tick counts them.
class FakeWorld : public Environment {
 public:
  FakeWorld() {
    description_ = {.name = "fake",
                    .language = "Fake 1",
                    .fence = "fake",
                    .extension = ".fake",
                    .rules = "The rules are few.",
                    .code_rules = "A line is a call.",
                    .primitives = {{"mineBlock", "mineBlock(bot, name, count)", "mines", "long source of mineBlock"},
                                   {"wait", "bot:wait(ticks)", "waits", ""}},
                    .tiers = {{"wood", {"stick"}}},
                    .all_items = {"log", "plank", "stick"}};
    state_.slots = 36;
    state_.biome = "forest";
    state_.time_of_day = "day";
    state_.nearby_blocks = {"log", "dirt"};
  }

  const WorldDescription& description() const override { return description_; }
  Observation start(uint64_t seed) override {
    ++starts;
    state_.position.x = static_cast<double>(seed);
    return state_;
  }
  Observation observe() override { return state_; }

  std::variant<ParsedCode, CodeError> parse(std::string_view code) override {
    ParsedCode parsed;
    std::istringstream lines{std::string(code)};
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      std::istringstream words(line);
      std::string verb, name;
      words >> verb >> name;
      if (verb == "function") {
        const std::string plain = name.substr(0, name.find('('));
        parsed.functions.push_back(plain);
        if (name.ends_with("(bot)")) parsed.main = plain;
      } else if (verb == "call") {
        if (std::ranges::find(parsed.calls, name) == parsed.calls.end()) parsed.calls.push_back(name);
      } else if (!verb.empty() && verb != "get" && verb != "say" && verb != "fail" && verb != "slow" && verb != "end") {
        return CodeError{.message = "syntax error near '" + verb + "'", .where = "code", .line = number};
      }
    }
    return parsed;
  }

  std::optional<CodeError> load(const SkillCode& skill) override {
    if (!skill.code.starts_with("slow")) return std::nullopt;
    return CodeError{.message = skill.name + ":1: is slow"};
  }

  void begin(const Program& program) override { program_ = program; }
  std::optional<StepOutcome> wait(Clock::time_point) override {
    if (waits_left-- > 0) return std::nullopt;
    ++runs;
    StepOutcome outcome;
    if (unlucky.contains(runs)) {
      outcome.error = CodeError{.message = "bad luck"};
    } else {
      run("code", program_.code, outcome);
    }
    ++state_.tick;
    state_.position.z += 1;
    outcome.after = state_;
    return outcome;
  }

  /// "Get N ITEM".
  std::optional<bool> check(std::string_view task, const Observation& before, const Observation& after) override {
    std::istringstream words{std::string(task)};
    std::string verb, item;
    int count = 0;
    if (!(words >> verb >> count >> item) || verb != "Get") return std::nullopt;
    const auto had = [&item](const Observation& at) {
      const auto found = at.inventory.find(item);
      return found == at.inventory.end() ? 0 : found->second;
    };
    return had(after) - had(before) >= count;
  }

  std::string save() override { return to_text(to_json(state_)); }
  Observation restore(std::string_view saved) override {
    ++restores;
    state_ = observation_from(parse_json(saved));
    if (!description_.repeats_itself) state_.biome += " of another day";
    return state_;
  }
  MapImage map(int, std::optional<int>) override { return {}; }
  MapImage saved_map(std::string_view, int) override { return {}; }

  Observation& state() { return state_; }
  int starts = 0, runs = 0, restores = 0;
  int waits_left = 0;     // that give nothing yet
  std::set<int> unlucky;  // runs, from 1, that come to nothing
  /// A world that is not the same twice: it has moved on when it is gone on with.
  void drift() { description_.repeats_itself = false; }

 private:
  void run(const std::string& where, const std::string& code, StepOutcome& outcome) {
    std::istringstream lines(code);
    int number = 0;
    for (std::string line; std::getline(lines, line) && !outcome.error;) {
      ++number;
      std::istringstream words(line);
      std::string verb, name, rest;
      words >> verb >> name;
      int count = 1;
      if (verb == "get") {
        words >> count;
        const bool is_new = state_.counts[name]++ == 0;
        state_.inventory[name] += count;
        if (is_new) outcome.events.push_back({Event::Kind::kItem, state_.tick, name});
      } else if (verb == "say") {
        std::getline(words, rest);
        outcome.events.push_back({Event::Kind::kChat, state_.tick, name + rest});
      } else if (verb == "call") {
        for (const SkillCode& skill : program_.skills)
          if (skill.name == name) run(name, skill.code, outcome);
      } else if (verb == "fail") {
        std::getline(words, rest);
        outcome.error = CodeError{.message = name + rest, .where = where, .line = number};
      }
    }
  }

  WorldDescription description_;
  Observation state_;
  Program program_;
};

}  // namespace caravel::voyager
