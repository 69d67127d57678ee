#include "mini/mini_environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "mini/code_run.h"
#include "mini/describe.h"
#include "mini/world.h"

namespace caravel::mini {
namespace {

class MiniEnvironment final : public voyager::Environment {
 public:
  explicit MiniEnvironment(const CodeLimits& limits) : limits_(limits), description_(describe()) {}

  const voyager::WorldDescription& description() const override { return description_; }

  voyager::Observation start(uint64_t seed) override { return enter(std::make_unique<World>(seed)); }
  voyager::Observation observe() override { return world_->observe(); }

  std::variant<voyager::ParsedCode, voyager::CodeError> parse(std::string_view code) override {
    return parse_code(code, limits_);
  }

  std::optional<voyager::CodeError> load(const voyager::SkillCode& skill) override {
    return load_skill(skill, limits_);
  }

  void begin(const voyager::Program& program) override {
    world_->take_events();
    run_.emplace(*world_, limits_, program);
  }

  std::optional<voyager::StepOutcome> wait(Clock::time_point deadline) override {
    auto end = run_->wait(deadline);
    if (!end) return std::nullopt;
    std::vector<voyager::Event> events;
    for (const auto& [name, why] : run_->left_out())
      events.push_back(
          {voyager::Event::Kind::kChat, run_->began(), fmt::format("Skill {} is left out: {}", name, why)});
    std::ranges::move(world_->take_events(), std::back_inserter(events));
    run_.reset();
    return voyager::StepOutcome{std::move(events), std::move(end->error), world_->observe()};
  }

  std::optional<bool> check(std::string_view task, const voyager::Observation& before,
                            const voyager::Observation& after) override {
    return check_task(task, before, after);
  }

  std::string save() override { return world_->save(); }
  voyager::Observation restore(std::string_view saved) override { return enter(World::load(saved)); }

  voyager::MapImage map(int most_pixels, std::optional<int> blocks_around) override {
    return world_->map(most_pixels, blocks_around);
  }
  voyager::MapImage saved_map(std::string_view saved, int most_pixels) override {
    return World::load(saved)->map(most_pixels, std::nullopt);
  }

 private:
  voyager::Observation enter(std::unique_ptr<World> world) {
    run_.reset();
    world_ = std::move(world);
    return world_->observe();
  }

  const CodeLimits limits_;
  const voyager::WorldDescription description_;
  std::unique_ptr<World> world_;
  std::optional<CodeRun> run_;
};

}  // namespace

std::unique_ptr<voyager::Environment> make_environment(const CodeLimits& limits) {
  return std::make_unique<MiniEnvironment>(limits);
}

}  // namespace caravel::mini
