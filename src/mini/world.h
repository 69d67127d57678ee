#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/json.h"
#include "voyager/environment.h"

namespace caravel::mini {

/// A small survival world of blocks with Minecraft's names and rules, as far as they go: terrain and caves from seeded
/// noise, a tech tree from wood to diamond, day and night, hunger, animals and hostile creatures. It is a function of
/// its seed and of the calls that were made: the same give the same bytes. A tick is a twentieth of a second of its
/// time and passes in calls alone. One thread.
class World {
 public:
  explicit World(uint64_t seed);
  ~World();

  /// All of it but events that nobody has taken yet. load() throws FormatError.
  std::string save() const;
  static std::unique_ptr<World> load(std::string_view saved);

  voyager::Observation observe() const;
  int64_t tick() const;

  /// What the player's code may ask for (docs/voyager.md lists them): looks, or acts and takes ticks. arguments: an
  /// array. The answer is {"value": ...} or {"error": "why not"}: of a name that is not known, too, and of arguments
  /// that do not fit.
  Json call(std::string_view name, const Json& arguments);
  /// What happened since it was last asked.
  std::vector<voyager::Event> take_events();

  /// Environment::map().
  voyager::MapImage map(int most_pixels, std::optional<int> blocks_around) const;

 private:
  struct Impl;
  explicit World(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Environment::check() of this world's counts and items.
std::optional<bool> check_task(std::string_view task, const voyager::Observation& before,
                               const voyager::Observation& after);

}  // namespace caravel::mini
