#include "voyager/run_summary.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"

namespace caravel::voyager {
namespace {

/// A text or number of nested objects; nothing where it is not there, or of another kind.
template <typename T>
std::optional<T> value_at(const Json& json, std::initializer_list<const char*> path) {
  const Json* at = &json;
  for (const char* const key : path) {
    if (!at->is_object() || !at->contains(key)) return std::nullopt;
    at = &at->at(key);
  }
  try {
    return at->get<T>();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

void add(const CallRow& call, RoleTotals& totals) {
  totals.add(call.answer);
  totals.retries += static_cast<int64_t>(call.answer.retries.size());
  totals.cut += call.answer.is_cut ? 1 : 0;
}

void add(const StepRow& step, CriticCounts& critic) {
  if (!step.judged) return;
  if (!step.checked) {
    ++critic.unchecked;
  } else if (*step.judged) {
    ++(*step.checked ? critic.both_yes : critic.only_critic);
  } else {
    ++(*step.checked ? critic.only_world : critic.both_no);
  }
}

std::vector<TierReached> reached(const std::vector<Tier>& tiers, const std::vector<ItemRow>& items) {
  std::vector<TierReached> all;
  for (const Tier& tier : tiers) {
    const auto first = std::ranges::find_if(
        items, [&](const ItemRow& item) { return std::ranges::find(tier.items, item.name) != tier.items.end(); });
    all.push_back(first == items.end() ? TierReached{.name = tier.name}
                                       : TierReached{tier.name, first->name, first->iteration});
  }
  return all;
}

}  // namespace

std::vector<Tier> tiers_of(const Json& setup) {
  std::vector<Tier> tiers;
  for (const Json& one : value_at<Json>(setup, {"world", "tiers"}).value_or(Json::array())) {
    const auto name = value_at<std::string>(one, {"name"});
    const auto items = value_at<std::vector<std::string>>(one, {"items"});
    if (!name || !items) throw fail<FormatError>("the run's record has a tier without a name or items");
    tiers.push_back({*name, *items});
  }
  return tiers;
}

RoleTotals RunSummary::calls() const {
  RoleTotals all;
  for (const RoleTotals& role : roles) {
    all.calls += role.calls;
    all.prompt_tokens += role.prompt_tokens;
    all.completion_tokens += role.completion_tokens;
    all.retries += role.retries;
    all.cut += role.cut;
    all.counted = all.counted && role.counted;
    all.cost += role.cost;
    all.seconds += role.seconds;
  }
  return all;
}

const TaskOutcome* RunSummary::task(int64_t iteration) const {
  const auto found =
      std::ranges::lower_bound(tasks, iteration, {}, [](const TaskOutcome& one) { return one.row.number; });
  return found == tasks.end() || found->row.number != iteration ? nullptr : &*found;
}

RunSummary summarise(const RunStore& run) {
  RunSummary summary;
  const Json setup = run.setup();
  summary.world = value_at<std::string>(setup, {"world", "name"}).value_or("");
  summary.seed = value_at<uint64_t>(setup, {"agent", "seed"}).value_or(0);
  summary.curriculum = value_at<std::string>(setup, {"names", "curriculum"}).value_or("");
  summary.action = value_at<std::string>(setup, {"names", "action"}).value_or("");
  summary.critic_model = value_at<std::string>(setup, {"names", "critic"}).value_or("");
  summary.goal = value_at<std::string>(setup, {"agent", "goal"}).value_or("");
  summary.ending = value_at<std::string>(run.ending(), {"text"}).value_or("");
  std::map<int64_t, TaskOutcome> last;
  run.each_step([&](const StepRow& step) {
    ++summary.rounds;
    add(step, summary.critic);
    TaskOutcome& task = last[step.iteration];
    task = {.judged = step.judged, .checked = step.checked, .rounds = task.rounds + 1};
    summary.rounds_with_skills += step.skills_used.empty() ? 0 : 1;
  });
  run.each_iteration([&](const IterationRow& row) {
    TaskOutcome& task = summary.tasks.emplace_back(last[row.number]);
    task.row = row;
    ++(row.success ? summary.done : task.is_open() ? summary.open : summary.failed);
  });
  run.each_call([&](const CallRow& call) { add(call, summary.roles.at(static_cast<size_t>(call.request.role))); });
  summary.items = run.items();
  summary.tiers = reached(tiers_of(setup), summary.items);
  std::set<std::string> names;
  std::set<std::string> learnt;
  for (const SkillRow& skill : run.skills()) {
    names.insert(skill.name);
    if (skill.iteration > 0) learnt.insert(skill.name);
  }
  summary.skills = static_cast<int64_t>(names.size());
  summary.skills_learnt = static_cast<int64_t>(learnt.size());
  return summary;
}

ItemSteps item_steps(const RunSummary& run) {
  ItemSteps steps;
  for (size_t i = 0; i < run.items.size(); ++i) {
    const auto iteration = static_cast<double>(run.items[i].iteration);
    if (steps.iterations.empty() || steps.iterations.back() != iteration) {
      steps.iterations.push_back(iteration);
      steps.counts.push_back(0);
      steps.names.emplace_back();
    }
    steps.counts.back() = static_cast<double>(i + 1);
    std::string& names = steps.names.back();
    names += (names.empty() ? "" : ", ") + run.items[i].name;
  }
  return steps;
}

}  // namespace caravel::voyager
