#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "voyager/observation.h"

namespace caravel::voyager {

/// What happened while code ran, in order.
struct Event {
  enum class Kind : uint8_t {
    kChat,  // the player said `text`: primitives say so what they did, or why not
    kItem,  // `text`, an item's name, was in the inventory for the first time in this world
    kHurt,  // `text` says by what
    kDeath,
  };
  Kind kind = Kind::kChat;
  int64_t tick = 0;
  std::string text;

  bool operator==(const Event&) const = default;
};

/// What went wrong with code: before it ran (syntax), while it ran, or because it was ended. `message` is one line, as
/// the one who wrote the code is to read it.
struct CodeError {
  std::string message;
  std::string where;    // "code", or the name of the skill or primitive that the line is of; empty: none
  int line = 0;         // of `where`, from 1; 0: none
  std::string trace;    // the calls that led there, a line each, lines of `code` first named; may be empty
  bool killed = false;  // the code was ended by a limit: instructions, memory, time, output

  bool operator==(const CodeError&) const = default;
};

/// A skill as the code that uses it sees it.
struct SkillCode {
  std::string name;
  std::string code;
};

/// What to run: `code` defines functions, of which `main` is called with the player.
struct Program {
  std::string code;
  std::string main;
  std::vector<SkillCode> skills;  // every one that there is: code may call any that can be loaded, and reads of others
};

/// What is seen of code without running it.
struct ParsedCode {
  std::string main;                    // the last function that takes the player alone: what is to be run, and kept
  std::vector<std::string> functions;  // defined at its top, in order
  std::vector<std::string> calls;      // names of functions that are called and not defined in it, each once, sorted
};

struct StepOutcome {
  std::vector<Event> events;
  std::optional<CodeError> error;  // nothing: it ran to its end
  Observation after;
};

/// One of the functions that code may call, as the action prompt shows it.
struct Primitive {
  std::string name;       // "mineBlock"
  std::string signature;  // "mineBlock(bot, name, count)"; of a call of the player's "bot:dig(x, y, z)"
  std::string help;       // what it does, in a line or two
  std::string source;     // its code, which begins with its help; may be empty
};

/// A step of the tech tree: the tier is reached with the first of these items.
struct Tier {
  std::string name;                // "iron"
  std::vector<std::string> items;  // "iron_pickaxe", "iron_sword", ...
};

/// What is true of a world at all times.
struct WorldDescription {
  std::string name;        // "mini"
  std::string language;    // "Lua 5.4"
  std::string fence;       // behind the three ticks of a block of its code: "lua"
  std::string extension;   // of a file of its code: ".lua"
  std::string rules;       // some lines for all prompts: what differs from what a model may expect
  std::string code_rules;  // the same of its code, for who writes it
  std::vector<Primitive> primitives;
  std::vector<Tier> tiers;             // lowest first
  std::vector<std::string> all_items;  // that can be had; what a random curriculum draws its tasks from
  bool repeats_itself = true;          // the same seed and code give the same world again, to the byte
  double clock = 0;                    // its seconds to one of ours, while code runs; 0: its time passes in calls alone

  /// Whether a primitive, and no call of the player's, is called so.
  bool has_function(const std::string& called) const {
    return std::ranges::any_of(primitives, [&](const Primitive& primitive) {
      return primitive.name == called && primitive.signature.starts_with(called + "(");
    });
  }
};

/// RGB, 8 bits each, row by row; x of the world goes right, z down.
struct MapImage {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;  // [height, width, 3]
  double left = 0, top = 0;  // x and z of the first pixel's corner
  double blocks_per_pixel = 1;
};

/// A world that code acts in. One thread. A step is begun and then waited for, since a world may live in other
/// processes and take its time; the code is run where it can do no harm. Throws IoError where the world itself is gone
/// (not where code fails: StepOutcome::error).
class Environment {
 public:
  virtual ~Environment() = default;

  virtual const WorldDescription& description() const = 0;

  /// A new world of this seed, with the player at its start. The first call; again: another world.
  virtual Observation start(uint64_t seed) = 0;
  virtual Observation observe() = 0;

  /// Reads code without running it.
  virtual std::variant<ParsedCode, CodeError> parse(std::string_view code) = 0;

  /// Whether other code can be given this skill, which was parsed: why not, where what stands beside its functions does
  /// not end soon by itself, or its name is taken. Runs that, without the world.
  virtual std::optional<CodeError> load(const SkillCode& skill) = 0;

  /// Begins to run; `wait` until it has ended before anything else but observe() and map() is called.
  virtual void begin(const Program& program) = 0;
  /// Goes on until the code has ended, or to the deadline: nothing then.
  virtual std::optional<StepOutcome> wait(Clock::time_point deadline) = 0;

  /// What the world itself says: `task` ("Craft 1 wooden pickaxe") was done between these. Nothing: it cannot tell.
  virtual std::optional<bool> check(std::string_view task, const Observation& before, const Observation& after) = 0;

  /// All of the world, such that restore() goes on from here to the same bytes. Not while code runs.
  virtual std::string save() = 0;
  /// Throws FormatError.
  virtual Observation restore(std::string_view saved) = 0;

  /// What the player has seen: all of it in at most `most_pixels` either way, or so many blocks around the player.
  virtual MapImage map(int most_pixels, std::optional<int> blocks_around = std::nullopt) = 0;
  /// All that the player had seen when this was saved; nothing is begun for it. Throws FormatError.
  virtual MapImage saved_map(std::string_view saved, int most_pixels) = 0;
};

}  // namespace caravel::voyager
