#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sandbox/child.h"

namespace caravel::sandbox {

using Json = nlohmann::ordered_json;

/// A world of one call, "ask", which answers as it is told, beside "chat", which keeps what was said.
struct LuaRunner {
  std::vector<std::pair<std::string, std::string>> library;  // name, code
  int64_t instructions = 5'000'000;
  int64_t memory_bytes = 16 << 20;
  uint64_t seed = 1;
  std::chrono::milliseconds patience{20'000};  // and the process is killed
  Limits limits;
  std::function<Json(const Json& arguments)> ask = [](const Json& arguments) { return Json{{"value", arguments}}; };

  std::vector<std::string> said = {};

  /// {"done": true}, {"failed": ...}, or {"ended": how the process ended, or "deadline"}.
  Json run(const std::string& code, const std::string& main = "go");
  /// The same of `function go(bot) ... end` with these lines in it, the first of which is line 2.
  Json run_lines(const std::string& lines) { return run("function go(bot)\n" + lines + "\nend"); }
  /// What it says first; else how it failed.
  std::string says(const std::string& lines);
  Json parse(const std::string& code);
  Json load(const std::string& name, const std::string& code);

 private:
  Json talk(const Json& request);
};

/// "killed code:3: text", of a {"failed": ...}; else the message as it is.
std::string spelled(const Json& outcome);

}  // namespace caravel::sandbox
