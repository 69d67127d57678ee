#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mini/mini_environment.h"
#include "mini/world.h"
#include "sandbox/child.h"

namespace caravel::mini {

/// Code in a process of its own (sandbox/lua/lua_child.h), for which it asks the world: from its beginning to its end.
/// What it says is taken as hostile. The process ends with the object.
class CodeRun {
 public:
  /// Both must outlive it. Throws IoError where no process can be made.
  CodeRun(World& world, const CodeLimits& limits, const voyager::Program& program);

  /// How it ended: with this error, or an empty one. Nothing: it goes on after the deadline.
  struct End {
    std::optional<voyager::CodeError> error;
  };
  std::optional<End> wait(Clock::time_point deadline);

  int64_t began() const { return began_; }  // at this tick of the world
  /// Skills that could not be loaded, and why: whoever calls one is told the same.
  const std::map<std::string, std::string>& left_out() const { return left_out_; }

 private:
  std::optional<End> take(const std::string& line);
  Json answer(const std::string& name, Json arguments);
  void start();
  /// Begins again without a skill that ended the run while it was loaded. False: it was none.
  bool leave_out(const Json& failed);
  /// Why it may not go on; empty: it may.
  std::string passed_limit(const std::string& name) const;

  World& world_;
  const CodeLimits& limits_;
  const voyager::Program program_;
  std::map<std::string, std::string> left_out_;  // skills, and why
  std::optional<sandbox::Child> child_;
  const int64_t began_;  // the world's tick
  int64_t calls_ = 0;
  int64_t chat_lines_ = 0;
  Clock::duration waited_{};  // for it, since it said something
};

/// Reads code in a process of its own, without running it.
std::variant<voyager::ParsedCode, voyager::CodeError> parse_code(std::string_view code, const CodeLimits& limits);

/// As voyager::Environment::load().
std::optional<voyager::CodeError> load_skill(const voyager::SkillCode& skill, const CodeLimits& limits);

}  // namespace caravel::mini
