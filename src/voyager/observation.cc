#include "voyager/observation.h"

#include <array>

#include "base/error.h"

namespace caravel::voyager {
namespace {

template <typename T>
void read(const Json& json, const char* key, T& value) {
  const auto found = json.find(key);
  if (found == json.end()) throw fail<FormatError>("an observation has no \"{}\"", key);
  try {
    value = found->get<T>();
  } catch (const Json::exception&) {
    throw fail<FormatError>("an observation's \"{}\" is of another kind", key);
  }
}

}  // namespace

Json to_json(const Observation& observation) {
  Json entities = Json::array();
  for (const NearbyEntity& entity : observation.nearby_entities)
    entities.push_back({{"name", entity.name}, {"distance", entity.distance}});
  return {{"tick", observation.tick},
          {"biome", observation.biome},
          {"time_of_day", observation.time_of_day},
          {"health", observation.health},
          {"food", observation.food},
          {"position", {observation.position.x, observation.position.y, observation.position.z}},
          {"inventory", observation.inventory},
          {"slots_used", observation.slots_used},
          {"slots", observation.slots},
          {"equipment", observation.equipment},
          {"nearby_blocks", observation.nearby_blocks},
          {"nearby_entities", entities},
          {"chests", observation.chests},
          {"counts", observation.counts}};
}

Observation observation_from(const Json& json) {
  if (!json.is_object()) throw fail<FormatError>("an observation is no JSON object");
  Observation observation;
  read(json, "tick", observation.tick);
  read(json, "biome", observation.biome);
  read(json, "time_of_day", observation.time_of_day);
  read(json, "health", observation.health);
  read(json, "food", observation.food);
  std::array<double, 3> position{};
  read(json, "position", position);
  observation.position = {position[0], position[1], position[2]};
  read(json, "inventory", observation.inventory);
  read(json, "slots_used", observation.slots_used);
  read(json, "slots", observation.slots);
  read(json, "equipment", observation.equipment);
  read(json, "nearby_blocks", observation.nearby_blocks);
  Json entities;
  read(json, "nearby_entities", entities);
  for (const Json& entity : entities) {
    NearbyEntity& one = observation.nearby_entities.emplace_back();
    read(entity, "name", one.name);
    read(entity, "distance", one.distance);
  }
  read(json, "chests", observation.chests);
  read(json, "counts", observation.counts);
  return observation;
}

}  // namespace caravel::voyager
