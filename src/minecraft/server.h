#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "minecraft/connection.h"
#include "minecraft/installation.h"
#include "minecraft/process.h"
#include "voyager/environment.h"

namespace caravel::minecraft {

/// A world of our own: worlds/minecraft/server as a process. Its time stands still until run(). Throws IoError.
class Server {
 public:
  Server(const Installation& installation, uint64_t seed, double clock, const std::string& difficulty);

  Address address() const { return {"127.0.0.1", port_}; }
  void run() { process_.ask({{"do", "clock"}, {"runs", true}}, kSeconds); }
  void stand() { process_.ask({{"do", "clock"}, {"runs", false}}, kSeconds); }

  /// What was done since the world began; nothing of a player that never came.
  std::map<std::string, int64_t> counts(const std::string& player);
  /// What happened to the player since this was last asked.
  std::vector<voyager::Event> events(const std::string& player);
  /// Waits until the player's connection is gone, at most some seconds.
  void wait_until_gone(const std::string& player);

  Json save() { return process_.ask({{"do", "save"}}, kSeconds).at("saved"); }
  void restore(const Json& saved) { process_.ask({{"do", "restore"}, {"saved", saved}}, kSeconds); }

 private:
  static constexpr double kSeconds = 60;

  Json player(const std::string& name) { return process_.ask({{"do", "player"}, {"player", name}}, kSeconds); }

  Process process_;
  int port_ = 0;
};

}  // namespace caravel::minecraft
