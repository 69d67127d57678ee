#include "voyager/agent.h"

#include "base/error.h"
#include "base/interrupt.h"
#include "voyager/agent_phases.h"
#include "voyager/recorded_model.h"

namespace caravel::voyager {
namespace {

Json setup_of(const AgentConfig& config, const Budget& budget, const WorldDescription& world, const Models& models,
              const Prompts& prompts) {
  Json tiers = Json::array();
  for (const Tier& tier : world.tiers) tiers.push_back({{"name", tier.name}, {"items", tier.items}});
  Json about = {{"name", world.name},
                {"language", world.language},
                {"fence", world.fence},
                {"extension", world.extension},
                {"tiers", std::move(tiers)}};
  if (world.clock > 0) about["clock"] = world.clock;
  return {{"world", std::move(about)},
          {"agent", to_json(config)},
          {"budget", to_json(budget)},
          {"models", config.models},
          {"names",
           {{"curriculum", models.curriculum->name()},
            {"action", models.action->name()},
            {"critic", models.critic->name()},
            {"embedder", models.embedder->name()}}},
          {"prompts", prompts.to_json()}};
}

void check_goes_on(const Json& setup, const AgentConfig& config, const std::string& world) {
  if (setup.at("world").at("name") != world)
    throw fail<InvalidArgument>("the run was begun in the world '{}', not '{}': go on there, or begin another run",
                                setup.at("world").at("name").get<std::string>(), world);
  const Json now = to_json(config);
  for (const auto& [key, value] : setup.at("agent").items()) {
    if (key == "iterations" || now.at(key) == value) continue;
    throw fail<InvalidArgument>("the run was begun with {} = {}, not {}: go on with that, or begin another run", key,
                                to_text(value), to_text(now.at(key)));
  }
}

}  // namespace

struct Agent::Impl {
  Impl(const AgentConfig& given, const Budget& limits, Environment& environment, const Models& answering,
       const Prompts& texts, RunStore& record, Watcher& onlooker)
      : config(given),
        budget(limits),
        world(environment),
        models(answering),
        prompts(texts),
        store(record),
        calls(models, budget, store, onlooker, environment.description().repeats_itself),
        phases(config, world, prompts, calls, store, onlooker) {}

  /// A new run: its world, and what is known before it begins.
  void begin() {
    const Observation start = world.start(config.seed);
    const std::vector<SkillRow> skills = phases.starting_skills();
    AgentState state{.phase = skills.empty() ? Phase::kAsk : Phase::kImport};
    if (!config.goal.empty()) state.goal_start = start;
    store.begin();
    store.set_setup(setup_of(config, budget, world.description(), models, prompts));
    for (const SkillRow& skill : skills) store.add(skill);
    store.put_world(world.save(), start);
    store.put_state(to_json(state));
    store.commit();
  }

  Ending run() {
    Json setup = store.setup();
    if (setup.is_null()) {
      begin();
    } else {
      check_goes_on(setup, config, world.description().name);
      setup["budget"] = to_json(budget);
      if (world.description().clock > 0) setup["world"]["clock"] = world.description().clock;
      store.set_setup(setup);
      store.put_ending(nullptr);
      world.restore(store.world().value());
    }
    phases.load();
    while (true) {
      if (auto ending = phases.ending()) return *ending;
      check_interrupt_now();
      phases.advance();
    }
  }

  const AgentConfig config;
  const Budget budget;
  Environment& world;
  const Models models;
  const Prompts& prompts;
  RunStore& store;
  Calls calls;
  AgentPhases phases;
};

Agent::Agent(const AgentConfig& config, const Budget& budget, Environment& world, const Models& models,
             const Prompts& prompts, RunStore& store, Watcher& watcher)
    : impl_(std::make_unique<Impl>(config, budget, world, models, prompts, store, watcher)) {}
Agent::~Agent() = default;

Ending Agent::run() {
  Ending ending;
  try {
    ending = impl_->run();
  } catch (const BudgetUsed& used) {
    ending = {Ending::Kind::kBudget, used.text, used.is_of_process};
  } catch (const RecordEnded& ended) {
    ending = {Ending::Kind::kInterrupted, ended.what()};
  } catch (const Interrupted&) {
    ending = {Ending::Kind::kInterrupted, "the run was interrupted"};
  } catch (const ModelError& error) {
    impl_->store.put_ending({{"kind", "failed"}, {"text", error.what()}});
    throw;
  }
  const Uninterrupted last_words;
  if (impl_->store.setup().is_null()) return ending;  // nothing was begun, which could end
  impl_->store.put_ending({{"kind", ending_name(ending.kind)}, {"text", ending.text}});
  return ending;
}

}  // namespace caravel::voyager
