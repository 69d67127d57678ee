#include "mini/world.h"

#include <fmt/format.h>

#include <utility>

#include "base/printable.h"
#include "mini/arguments.h"
#include "mini/calls.h"
#include "mini/map.h"
#include "mini/observing.h"
#include "mini/passing.h"
#include "mini/saving.h"

namespace caravel::mini {

struct World::Impl {
  explicit Impl(std::unique_ptr<Game> made) : game(std::move(made)) {}

  std::unique_ptr<Game> game;
};

World::World(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
World::World(uint64_t seed) : impl_(std::make_unique<Impl>(std::make_unique<Game>(seed))) { begin(*impl_->game); }
World::~World() = default;

std::string World::save() const { return saved(*impl_->game); }

std::unique_ptr<World> World::load(std::string_view bytes) {
  return std::unique_ptr<World>(new World(std::make_unique<Impl>(loaded(bytes))));
}

voyager::Observation World::observe() const { return mini::observe(*impl_->game); }

int64_t World::tick() const { return impl_->game->tick; }

Json World::call(std::string_view name, const Json& arguments) {
  Game& game = *impl_->game;
  try {
    if (const Call look = look_named(name)) return {{"value", look(game, Arguments(name, arguments))}};
    const Call act = act_named(name);
    if (!act) return {{"error", fmt::format("there is no call \"{}\"", printable(name.substr(0, 64)))}};
    Json value = act(game, Arguments(name, arguments));
    settle(game);
    return {{"value", std::move(value)}};
  } catch (const Refused& refused) {
    return {{"error", refused.why}};
  }
}

std::vector<voyager::Event> World::take_events() { return std::exchange(impl_->game->events, {}); }

voyager::MapImage World::map(int most_pixels, std::optional<int> blocks_around) const {
  return draw_map(*impl_->game, most_pixels, blocks_around);
}

}  // namespace caravel::mini
