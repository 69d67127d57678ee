#include "minecraft/minecraft_environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/json_reader.h"
#include "base/numbers.h"
#include "minecraft/describe.h"
#include "minecraft/process.h"
#include "minecraft/server.h"
#include "minecraft/surface_map.h"
#include "mini/world.h"

namespace caravel::minecraft {
namespace {

using voyager::CodeError;
using voyager::Event;
using voyager::Observation;

constexpr int64_t kFormat = 2;
constexpr size_t kSavedDepth = 64;
constexpr double kBridgeSeconds = 120;
constexpr int kTries = 3;  // to join, where the server has not let go of the last connection
constexpr std::chrono::seconds kBetween{1};
constexpr uint64_t kSeeds = uint64_t{1} << 53;  // that JavaScript's numbers hold

class MinecraftEnvironment : public voyager::Environment {
 public:
  MinecraftEnvironment(const std::string& name, const Player& player, const CodeLimits& limits)
      : installation_(find_installation()),
        description_(minecraft::describe(installation_, name, player.clock)),
        player_(player),
        limits_(limits) {}

  const voyager::WorldDescription& description() const override { return description_; }

  Observation start(uint64_t seed) override {
    forget();
    open(seed);
    return visit();
  }

  Observation observe() override {
    Observation now = seen_;
    if (run_ && run_->position) now.position = *run_->position;
    return now;
  }

  std::variant<voyager::ParsedCode, CodeError> parse(std::string_view code) override {
    const Json answer = bridge_->ask({{"do", "read"}, {"code", code}}, kBridgeSeconds);
    if (answer.contains("failed")) return code_error(answer.at("failed"));
    const Json& parsed = answer.at("parsed");
    return voyager::ParsedCode{parsed.at("main").get<std::string>(),
                               parsed.at("functions").get<std::vector<std::string>>(),
                               parsed.at("calls").get<std::vector<std::string>>()};
  }

  std::optional<CodeError> load(const voyager::SkillCode& skill) override {
    return load_skill(installation_, skill, limits_);
  }

  void begin(const voyager::Program& program) override {
    program_ = program;
    tries_ = 0;
    let_time_pass();
    send_player();
  }

  std::optional<voyager::StepOutcome> wait(Clock::time_point deadline) override {
    auto end = run_->wait(deadline);
    if (!end) return std::nullopt;
    if (!end->sent_away.empty() && ++tries_ < kTries) {
      run_.reset();
      std::this_thread::sleep_for(kBetween);
      send_player();
      return std::nullopt;
    }
    if (!end->sent_away.empty()) end->error = CodeError{.message = end->sent_away, .killed = true};
    voyager::StepOutcome outcome{.events = std::move(run_->chat), .error = std::move(end->error)};
    for (auto& [place, holds] : run_->chests) {
      if (holds.empty()) {
        chests_.erase(place);
      } else {
        chests_[place] = std::move(holds);
      }
    }
    run_.reset();  // the bot is gone
    const Observation before = seen_;
    outcome.after = visit();
    for (Event& event : happened(before)) outcome.events.push_back(std::move(event));
    std::ranges::stable_sort(outcome.events, {}, &Event::tick);
    return outcome;
  }

  std::string save() override {
    return to_text({{"format", kFormat}, {"chests", chests_}, {"map", map_.save()}, {"world", saved_world()}});
  }

  Observation restore(std::string_view saved) override {
    const Json read = read_saved(saved);
    forget();
    map_ = SurfaceMap::from(read.at("map"));
    try {
      chests_ = read.at("chests").get<decltype(chests_)>();
      reopen(read.at("world"));
    } catch (const Json::exception& error) {
      throw fail<FormatError>("the saved world cannot be read: {}", error.what());
    }
    return visit();
  }

  voyager::MapImage map(int most_pixels, std::optional<int> blocks_around) override {
    return map_.draw(observe().position, most_pixels, blocks_around);
  }
  voyager::MapImage saved_map(std::string_view saved, int most_pixels) override {
    return SurfaceMap::from(read_saved(saved).at("map")).draw({}, most_pixels, std::nullopt);
  }

 protected:
  virtual Address address() const = 0;
  virtual void open(uint64_t seed) = 0;
  virtual void reopen(const Json& saved) = 0;
  virtual Json saved_world() = 0;
  virtual void let_time_pass() {}
  virtual void let_time_stand() {}
  /// Until the last connection of the player's is seen to be gone.
  virtual void wait_until_gone() {}
  /// What was done: whether the bridge is to ask the server of the player's connection, and what is known otherwise.
  virtual bool counts_by_bridge() const { return false; }
  virtual void add_counts(Observation&) {}
  /// Since this was last asked; `before`: what was seen then.
  virtual std::vector<Event> happened(const Observation& before) = 0;

  const Observation& seen() const { return seen_; }

  const Installation installation_;
  const voyager::WorldDescription description_;
  const Player player_;
  const CodeLimits limits_;

 private:
  static Json read_saved(std::string_view saved) {
    Json read = read_json(saved, kSavedDepth);
    const auto has = [&read](const char* part) { return read.contains(part); };
    if (!read.is_object() || read.value("format", Json()) != kFormat || !has("world") || !has("chests") || !has("map"))
      throw FormatError("the saved world is none of this program's kind minecraft");
    return read;
  }

  void forget() {
    run_.reset();
    bridge_.reset();
    chests_.clear();
    map_ = {};
  }

  void send_player() { run_.emplace(installation_, address(), player_, limits_, program_, map_); }

  std::vector<std::string> bridge_command() const {
    const Address server = address();
    return installation_.command("bridge/main.js", {"--host", server.host, "--port", fmt::format("{}", server.port),
                                                    "--name", player_.name, "--clock", fmt::format("{}", player_.clock),
                                                    "--counts", counts_by_bridge() ? "server" : "none"});
  }

  /// The player's own eyes, by a bot that is trusted, and is gone again before anybody else is to join.
  Observation visit() {
    let_time_pass();
    Json answer;
    if (bridge_) {
      wait_until_gone();
      answer = bridge_->ask({{"do", "join"}}, kBridgeSeconds);
    } else {
      bridge_.emplace("the Minecraft bridge", bridge_command());
      answer = bridge_->receive(kBridgeSeconds);
    }
    if (!answer.contains("observation"))
      throw fail<IoError>("the Minecraft bridge: {}", answer.value("ended", "it saw nothing"));
    seen_ = voyager::observation_from(answer.at("observation"));
    seen_.chests = chests_;
    const Json around = bridge_->ask({{"do", "columns"}}, kBridgeSeconds);
    for (const Json& column : around.at("columns")) map_.take(column);
    bridge_->ask({{"do", "leave"}}, kBridgeSeconds);
    wait_until_gone();
    let_time_stand();
    add_counts(seen_);
    return seen_;
  }

  std::optional<Process> bridge_;  // from the first world on
  std::optional<SkillRun> run_;
  voyager::Program program_;
  int tries_ = 0;
  std::map<std::string, std::map<std::string, int>> chests_;
  SurfaceMap map_;
  Observation seen_;
};

class OwnWorld final : public MinecraftEnvironment {
 public:
  OwnWorld(const WorldSettings& settings, const CodeLimits& limits)
      : MinecraftEnvironment("minecraft", {.clock = settings.clock}, limits), settings_(settings) {}

  std::optional<bool> check(std::string_view task, const Observation& before, const Observation& after) override {
    return mini::check_task(task, before, after);
  }

 private:
  Address address() const override { return server_->address(); }
  void open(uint64_t seed) override {
    seed_ = seed % kSeeds;
    server_.reset();
    server_.emplace(installation_, seed_, settings_.clock, settings_.difficulty);
  }
  void reopen(const Json& saved) override {
    if (!saved.is_object() || !saved.contains("seed") || !saved.contains("saved"))
      throw FormatError("the saved world has no seed");
    open(saved.at("seed").get<uint64_t>());
    server_->restore(saved.at("saved"));
  }
  Json saved_world() override { return {{"seed", seed_}, {"saved", server_->save()}}; }
  void let_time_pass() override { server_->run(); }
  void let_time_stand() override { server_->stand(); }
  void wait_until_gone() override { server_->wait_until_gone(player_.name); }
  void add_counts(Observation& observation) override { observation.counts = server_->counts(player_.name); }
  std::vector<Event> happened(const Observation&) override { return server_->events(player_.name); }

  const WorldSettings settings_;
  uint64_t seed_ = 0;
  std::optional<Server> server_;
};

class VisitedWorld final : public MinecraftEnvironment {
 public:
  VisitedWorld(const Address& server, const CodeLimits& limits)
      : MinecraftEnvironment(server.text(), {.clock = 1}, limits), server_(server) {}

  /// Where the server counts what its players do.
  std::optional<bool> check(std::string_view task, const Observation& before, const Observation& after) override {
    if (before.counts.empty() && after.counts.empty()) return std::nullopt;
    return mini::check_task(task, before, after);
  }

 private:
  Address address() const override { return server_; }
  bool counts_by_bridge() const override { return true; }
  void open(uint64_t) override { had_.clear(); }
  void reopen(const Json& saved) override { had_ = saved.get<std::set<std::string>>(); }
  Json saved_world() override { return had_; }

  /// What it has now and did not have before, and where the server counts what came and went between, too.
  std::vector<Event> happened(const Observation& before) override {
    constexpr std::string_view kGot = "got:";
    std::set<std::string> got;
    for (const auto& [name, count] : seen().inventory)
      if (!before.inventory.contains(name)) got.insert(name);
    for (const auto& [key, count] : seen().counts) {
      const auto then = before.counts.find(key);
      if (key.starts_with(kGot) && count > (then == before.counts.end() ? 0 : then->second))
        got.insert(key.substr(kGot.size()));
    }
    std::vector<Event> events;
    for (const auto& [name, count] : before.inventory) had_.insert(name);
    for (const std::string& name : got)
      if (had_.insert(name).second) events.push_back({Event::Kind::kItem, seen().tick, name});
    return events;
  }

  const Address server_;
  std::set<std::string> had_;
};

}  // namespace

std::unique_ptr<voyager::Environment> make_environment(const WorldSettings& settings, const CodeLimits& limits) {
  return std::make_unique<OwnWorld>(settings, limits);
}

std::unique_ptr<voyager::Environment> make_visiting_environment(const Address& server, const CodeLimits& limits) {
  return std::make_unique<VisitedWorld>(server, limits);
}

std::optional<Address> address_in(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto port = parse_number<int>(text.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) return std::nullopt;
  return Address{std::string(text.substr(0, colon)), *port};
}

}  // namespace caravel::minecraft
