#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "minecraft/connection.h"
#include "minecraft/installation.h"
#include "minecraft/surface_map.h"
#include "sandbox/child.h"
#include "voyager/environment.h"

namespace caravel::minecraft {

/// The bounds of one run of code.
struct CodeLimits {
  double seconds = 600;                        // of the world's time
  double silence = 20;                         // of ours, without its event loop coming round: a loop that never ends
  int64_t memory_bytes = int64_t{1536} << 20;  // of addresses; Node takes 1.1 GiB of them at its start
};

/// Who plays, and how fast.
struct Player {
  std::string name = "voyager";
  double clock = 1;  // the bot's seconds to one of ours
};

/// Code in a process of its own, which is the bot (worlds/minecraft/skills/child.js): from its start to its end. All
/// that it says is hearsay, bounded, and fit for one line each. The process ends with the object.
class SkillRun {
 public:
  /// `map`, which must outlive it, takes what comes into sight. Throws IoError where no process can be made, or no
  /// connection to the server.
  SkillRun(const Installation& installation, const Address& server, const Player& player, const CodeLimits& limits,
           const voyager::Program& program, SurfaceMap& map);

  struct End {
    std::optional<voyager::CodeError> error;
    std::string sent_away;  // what the server said when it did not let the bot in; no code has run then
  };
  /// Nothing: it goes on after the deadline.
  std::optional<End> wait(Clock::time_point deadline);

  std::vector<voyager::Event> chat;                          // what it said until now
  std::map<std::string, std::map<std::string, int>> chests;  // what it saw in each; empty where one is gone
  std::optional<voyager::Position> position;                 // where it was a moment ago

 private:
  std::optional<End> take(const std::string& line);
  void take_chest(const std::string& place, const std::map<std::string, int>& holds);
  void take_position(const Json& at);

  const CodeLimits limits_;
  SurfaceMap& map_;
  const Clock::time_point last_;  // whatever it says
  std::optional<sandbox::Child> child_;
  Clock::time_point heard_;
};

/// As voyager::Environment::load().
std::optional<voyager::CodeError> load_skill(const Installation& installation, const voyager::SkillCode& skill,
                                             const CodeLimits& limits);

/// Of {"message", "where", "line", "trace", "killed"}; throws Json::exception.
voyager::CodeError code_error(const Json& failed);

}  // namespace caravel::minecraft
