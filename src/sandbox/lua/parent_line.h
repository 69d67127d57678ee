#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace caravel::sandbox::lua {

using Json = nlohmann::ordered_json;

/// The child's side of the socket: one line of JSON at a time. Where the parent is gone, or sends what is no JSON, the
/// process ends.
class ParentLine {
 public:
  explicit ParentLine(int fd) : fd_(fd) {}

  Json read();
  void write(const Json& message);
  /// write(), and the process ends: whatever runs in it has no more say.
  [[noreturn]] void finish(const Json& message);

 private:
  const int fd_;
  std::string read_;  // and not taken yet
};

}  // namespace caravel::sandbox::lua
