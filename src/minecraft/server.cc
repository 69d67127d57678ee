#include "minecraft/server.h"

#include <fmt/format.h>

#include <thread>

#include "base/error.h"
#include "base/printable.h"

namespace caravel::minecraft {
namespace {

constexpr double kStarts = 120;  // seconds
constexpr std::chrono::seconds kGone{20};

voyager::Event event_of(const Json& told) {
  using Kind = voyager::Event::Kind;
  const auto tick = told.at("tick").get<int64_t>();
  if (told.contains("item")) return {Kind::kItem, tick, told.at("item").get<std::string>()};
  if (told.contains("died")) return {Kind::kDeath, tick, printable(told.at("died").get<std::string>())};
  return {Kind::kHurt, tick, told.at("hurt").get<std::string>()};
}

}  // namespace

Server::Server(const Installation& installation, uint64_t seed, double clock, const std::string& difficulty)
    : process_("the Minecraft server",
               installation.command("server/main.js",
                                    {"--seed", fmt::format("{}", seed), "--clock", fmt::format("{}", clock),
                                     "--difficulty", difficulty, "--port", "0"})),
      port_(process_.receive(kStarts).at("port").get<int>()) {
  // As Voyager's world is set: a death costs the way.
  process_.ask({{"do", "rule"}, {"rule", "keepInventory"}, {"value", true}}, kSeconds);
  stand();
}

std::map<std::string, int64_t> Server::counts(const std::string& name) {
  return player(name).at("deeds").get<std::map<std::string, int64_t>>();
}

std::vector<voyager::Event> Server::events(const std::string& name) {
  std::vector<voyager::Event> events;
  const Json answer = process_.ask({{"do", "events"}, {"player", name}}, kSeconds);
  for (const Json& told : answer.at("events")) events.push_back(event_of(told));
  return events;
}

void Server::wait_until_gone(const std::string& name) {
  const Clock::time_point last = Clock::now() + kGone;
  while (player(name).at("connected").get<bool>()) {
    if (Clock::now() >= last) throw fail<IoError>("the Minecraft server keeps a connection that has ended");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace caravel::minecraft
