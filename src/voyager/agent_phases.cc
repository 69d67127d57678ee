#include "voyager/agent_phases.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/interrupt.h"

namespace caravel::voyager {

AgentPhases::AgentPhases(const AgentConfig& config, Environment& world, const Prompts& prompts, Calls& calls,
                         RunStore& store, Watcher& watcher)
    : config_(config),
      world_(world),
      calls_(calls),
      store_(store),
      watcher_(watcher),
      asker_(prompts, calls, config.prompt_bytes),
      curriculum_(config, world.description(), asker_, questions_),
      action_(config, world, asker_, library_),
      critic_(asker_) {}

std::vector<SkillRow> AgentPhases::starting_skills() const {
  std::vector<SkillRow> skills;
  std::set<std::string> names;
  if (config_.skill_library) skills = config_.skills;
  for (const SkillRow& skill : skills) names.insert(skill.name);
  for (SkillRow& skill : skills) {
    check_interrupt_now();
    if (world_.description().has_function(skill.name))
      throw fail<InvalidArgument>(
          "skill '{}' of the library is called like one of the world's own functions: rename it", skill.name);
    const auto parsed = world_.parse(skill.code);
    if (const auto* error = std::get_if<CodeError>(&parsed))
      throw fail<InvalidArgument>("skill '{}' of the library is no {} that this world runs: {}", skill.name,
                                  world_.description().language, error->message);
    const auto& [main, functions, calls] = std::get<ParsedCode>(parsed);
    if (std::ranges::find(functions, skill.name) == functions.end())
      throw fail<InvalidArgument>("skill '{0}' of the library: its code has no function called {0}", skill.name);
    if (const auto error = world_.load({skill.name, skill.code}))
      throw fail<InvalidArgument>("skill '{}' of the library cannot be loaded: {}", skill.name, error->message);
    skill.uses.clear();
    for (const std::string& name : calls)
      if (names.contains(name)) skill.uses.push_back(name);
    skill.version = 1;
    skill.iteration = 0;
    skill.embedding.clear();
  }
  return skills;
}

void AgentPhases::load() {
  state_ = agent_state_from(store_.state());
  history_ = {};
  library_ = {};
  questions_ = {};
  store_.each_iteration([this](const IterationRow& row) {
    if (row.number < state_.iteration) history_.add(row);
  });
  for (SkillRow& skill : store_.skills()) library_.add(std::move(skill));
  for (QuestionRow& question : store_.questions()) questions_.add(std::move(question));
  calls_.go_on(state_.calls, state_.iteration);
}

std::optional<Ending> AgentPhases::ending() const {
  const bool is_between = state_.phase == Phase::kAsk || state_.phase == Phase::kPropose;
  if (state_.phase == Phase::kEnded) {
    for (const auto kind : {Ending::Kind::kDone, Ending::Kind::kGoalReached, Ending::Kind::kGoalGivenUp})
      if (ending_name(kind) == state_.ending_kind) return Ending{kind, state_.ending};
  }
  if (is_between && state_.iteration > config_.iterations && config_.goal.empty())
    return Ending{Ending::Kind::kDone, config_.iterations == 1
                                           ? "its one task was tried"
                                           : fmt::format("all {} tasks were tried", config_.iterations)};
  return std::nullopt;
}

void AgentPhases::advance() {
  switch (state_.phase) {
    case Phase::kImport:
      return import();
    case Phase::kAsk:
      return ask();
    case Phase::kPropose:
      return propose();
    case Phase::kStudy:
      return study();
    case Phase::kWrite:
      return write();
    case Phase::kRun:
      return run_code();
    case Phase::kJudge:
      return judge();
    case Phase::kLearn:
      return learn();
    case Phase::kEnded:
      return;
  }
}

void AgentPhases::commit(AgentState next, const std::function<void()>& write) {
  next.calls = calls_.done();
  store_.begin();
  write();
  store_.put_state(to_json(next));
  store_.commit();
  state_ = std::move(next);
  calls_.go_on(state_.calls, state_.iteration);
}

/// Their rows stand in the record since the run began.
void AgentPhases::import() {
  AgentState next = state_;
  next.phase = Phase::kAsk;
  std::vector<SkillRow> skills = store_.skills();
  calls_.go_on(state_.calls, 0);
  for (size_t i = 0; i < skills.size(); ++i) {
    check_interrupt_now();
    watcher_.on(SkillImported{static_cast<int64_t>(i + 1), std::ssize(skills)});
    skills[i].embedding = calls_.embed(skills[i].description);
  }
  commit(std::move(next), [&] {
    for (const SkillRow& skill : skills) store_.put_embedding(skill);
  });
  for (SkillRow& skill : skills) library_.add(std::move(skill));
}

void AgentPhases::ask() {
  const bool is_automatic = config_.tasks.empty() && config_.goal.empty() && !config_.random_curriculum;
  AgentState next = state_;
  next.phase = Phase::kPropose;
  std::vector<QuestionRow> answered;
  const Observation now = world_.observe();
  if (is_automatic) next.notes = curriculum_.ask({state_.iteration, now, history_}, answered);
  commit(std::move(next), [&] {
    for (const QuestionRow& row : answered) store_.add(row);
  });
}

void AgentPhases::end_run(AgentState& next, Ending::Kind kind, std::string text) {
  next.phase = Phase::kEnded;
  next.ending_kind = ending_name(kind);
  next.ending = std::move(text);
}

void AgentPhases::propose() {
  watcher_.on(WorldMoved{world_});
  AgentState next = state_;
  const Observation now = world_.observe();
  const Situation situation{state_.iteration, now, history_};
  ProposedTask task;
  if (!config_.goal.empty()) {
    if (!next_sub_goal(situation, next, task)) return commit(std::move(next), [] {});
  } else if (!config_.tasks.empty()) {
    if (state_.iteration > std::ssize(config_.tasks)) {
      end_run(next, Ending::Kind::kDone,
              config_.tasks.size() == 1 ? "the one task of the list was tried"
                                        : fmt::format("all {} tasks of the list were tried", config_.tasks.size()));
      return commit(std::move(next), [] {});
    }
    task = {config_.tasks[static_cast<size_t>(state_.iteration - 1)], "It is the next one of the list."};
  } else if (config_.random_curriculum) {
    auto drawn = curriculum_.draw_item(state_.iteration, store_.items());
    if (!drawn) {
      end_run(next, Ending::Kind::kDone, "every item of this world was had");
      return commit(std::move(next), [] {});
    }
    task = *std::move(drawn);
  } else {
    task = curriculum_.propose(situation, state_.notes);
  }
  next.phase = Phase::kStudy;
  next.notes.clear();
  next.task = task.task;
  next.reason = task.reason;
  next.context.clear();
  next.round = 1;
  const IterationRow row{.number = state_.iteration, .task = next.task, .reason = next.reason};
  commit(std::move(next), [&] { store_.put(row); });
  watcher_.on(TaskBegun{row});
}

void AgentPhases::study() {
  AgentState next = state_;
  next.phase = Phase::kWrite;
  std::vector<QuestionRow> answered;
  next.context = curriculum_.study(state_.task, state_.iteration, answered);
  const IterationRow row{
      .number = state_.iteration, .task = state_.task, .context = next.context, .reason = state_.reason};
  commit(std::move(next), [&] {
    for (const QuestionRow& question : answered) store_.add(question);
    store_.put(row);
  });
}

}  // namespace caravel::voyager
