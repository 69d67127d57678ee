#include <algorithm>

#include "base/interrupt.h"
#include "voyager/agent_phases.h"
#include "voyager/clean_text.h"

namespace caravel::voyager {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};  // at the world, while code runs

std::vector<std::string> known_among(const std::vector<std::string>& calls, const SkillLibrary& library) {
  std::vector<std::string> known;
  std::ranges::copy_if(calls, std::back_inserter(known),
                       [&](const std::string& name) { return library.find(name) != nullptr; });
  return known;
}

void clean(StepOutcome& outcome) {
  for (Event& event : outcome.events) event.text = clean_text(event.text);
  if (!outcome.error) return;
  outcome.error->message = clean_text(outcome.error->message);
  outcome.error->trace = clean_text(outcome.error->trace);
}

}  // namespace

void AgentPhases::go_to_next_round(AgentState& next) const {
  if (next.round < config_.rounds) {
    ++next.round;
    next.phase = Phase::kWrite;
  } else {
    next.phase = Phase::kLearn;
  }
}

void AgentPhases::write() {
  AgentState next = state_;
  const Observation now = world_.observe();
  const std::optional<StepRow> last = state_.round > 1 ? step(state_.round - 1) : std::nullopt;
  const CodeWish wish{state_.task, state_.context, now, last ? &*last : nullptr};
  const std::vector<const SkillRow*> skills = action_.skills_for(wish);
  StepRow row{.iteration = state_.iteration, .round = state_.round, .before = now, .after = now};
  for (const SkillRow* skill : skills) row.skills_shown.push_back(skill->name);
  auto written = action_.write(wish, skills, row.code);
  if (last && calls_.is_repeated()) {
    row.error = CodeError{
        .message = "the model gives the same answer again to the same question: nothing more would come of this task"};
    next.phase = Phase::kLearn;
  } else if (auto* error = std::get_if<CodeError>(&written)) {
    row.error = std::move(*error);
    go_to_next_round(next);
  } else {
    WrittenCode& code = std::get<WrittenCode>(written);
    row.code = std::move(code.code);
    row.main = code.parsed.main;
    row.skills_used = known_among(code.parsed.calls, library_);
    next.phase = Phase::kRun;
  }
  commit(std::move(next), [&] { store_.put(row); });
  watcher_.on(CodeWritten{row});
  if (row.error) watcher_.on(CodeEnded{row, world_});
}

void AgentPhases::run_code() {
  AgentState next = state_;
  next.phase = Phase::kJudge;
  StepRow row = step(state_.round).value();
  row.before = world_.observe();
  world_.begin({row.code, row.main, library_.code()});
  std::optional<StepOutcome> outcome;
  while (!(outcome = world_.wait(Clock::now() + kLookEvery))) {
    watcher_.on(WorldMoved{world_});
    check_interrupt_now();
  }
  clean(*outcome);
  row.events = std::move(outcome->events);
  row.error = std::move(outcome->error);
  row.after = std::move(outcome->after);
  row.checked = world_.check(state_.task, row.before, row.after);
  const std::string saved = world_.save();
  commit(std::move(next), [&] {
    store_.put(row);
    store_.put_world(saved, row.after);
    for (const Event& event : row.events)
      if (event.kind == Event::Kind::kItem) store_.add(ItemRow{event.text, row.iteration, event.tick});
  });
  watcher_.on(CodeEnded{row, world_});
}

void AgentPhases::judge() {
  AgentState next = state_;
  StepRow row = step(state_.round).value();
  bool success = !row.error;
  // Code that failed did not do its task: nobody is asked.
  if (success && config_.critic) {
    const auto verdict = critic_.judge(state_.task, state_.context, row.before, row.after);
    if (const auto* read = std::get_if<Verdict>(&verdict)) {
      row.judged = read->success;
      row.critique = !read->critique.empty() || read->success ? read->critique : read->reasoning;
    }
    success = row.judged.value_or(false);
  }
  if (success) {
    next.phase = Phase::kLearn;
  } else {
    go_to_next_round(next);
  }
  commit(std::move(next), [&] { store_.put(row); });
  watcher_.on(CodeJudged{row});
}

void AgentPhases::learn() {
  AgentState next = state_;
  const StepRow last = step(state_.round).value();
  IterationRow row{.number = state_.iteration,
                   .task = state_.task,
                   .context = state_.context,
                   .reason = state_.reason,
                   .success = !last.error && last.judged.value_or(!config_.critic),
                   .rounds = state_.round};
  std::optional<SkillRow> skill;
  const bool is_worth_it = row.success && config_.skill_library && !is_housekeeping(state_.task);
  // What only its own round can be given is no skill.
  if (is_worth_it && !world_.load({last.main, last.code})) {
    skill.emplace();
    skill->name = last.main;
    skill->version = library_.next_version(last.main);
    skill->code = last.code;
    skill->uses = last.skills_used;
    skill->iteration = state_.iteration;
    skill->description = action_.describe(last.main, last.code, state_.task);
    skill->embedding = calls_.embed(skill->description);
    row.skill = skill->name;
    row.skill_version = skill->version;
  }
  if (!row.success && !config_.goal.empty()) {
    next.failed_at = state_.task;
    next.sub_goals.clear();
  }
  next.phase = Phase::kAsk;
  ++next.iteration;
  commit(std::move(next), [&] {
    store_.put(row);
    if (skill) store_.add(*skill);
  });
  history_.add(row);
  if (skill) library_.add(*std::move(skill));
  watcher_.on(TaskEnded{row});
}

}  // namespace caravel::voyager
