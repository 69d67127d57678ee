#pragma once

#include <memory>
#include <optional>
#include <string>

#include "minecraft/connection.h"
#include "minecraft/skill_run.h"
#include "voyager/environment.h"

namespace caravel::minecraft {

/// Of the world that is started here.
struct WorldSettings {
  double clock = 10;                // its seconds to one of ours
  std::string difficulty = "easy";  // peaceful, easy, normal, hard
};

/// `--world minecraft`: a server of our own, started with the first world and ended with the object; its time passes
/// while code runs alone. Skills run as worlds/minecraft/README.md says. Throws NotFound where it is not installed.
std::unique_ptr<voyager::Environment> make_environment(const WorldSettings& settings = {},
                                                       const CodeLimits& limits = {});

/// `--world HOST:PORT`: another server of the protocol of 1.19.2 in offline mode, as it is: seeds, and saved worlds,
/// are nothing to it. What was done is known where the server tells players their statistics, as Minecraft's own do.
/// Throws IoError, with what the server said, when it is first used.
std::unique_ptr<voyager::Environment> make_visiting_environment(const Address& server, const CodeLimits& limits = {});

/// "localhost:25565". Nothing: it is no address.
std::optional<Address> address_in(std::string_view text);

}  // namespace caravel::minecraft
