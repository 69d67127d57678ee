#include "cli/voyage/voyage_status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "voyager/report_text.h"

namespace caravel::cli {
namespace {

constexpr size_t kMostOfAnswer = 8192;  // bytes that are shown at most

std::string no_tier(const std::vector<voyager::Tier>& tiers) {
  return tiers.empty() ? "no tiers" : fmt::format("no tool of {} yet", tiers.front().name);
}

}  // namespace

VoyageStatus::VoyageStatus(const voyager::RunStore& run, const voyager::WorldDescription& world, int64_t most)
    : iterations(most), totals(run.totals()), world_(world) {
  run.each_iteration([this](const voyager::IterationRow& row) {
    iteration = row;
    if (row.success) {
      ++done;
    } else if (row.has_ended()) {
      ++failed;
    }
  });
  for (const voyager::ItemRow& item : run.items()) items.emplace(item.name, item.iteration);
  for (const voyager::SkillRow& skill : run.skills()) skill_names_.push_back(skill.name);
  std::ranges::sort(skill_names_);
  skill_names_.erase(std::unique(skill_names_.begin(), skill_names_.end()), skill_names_.end());
  skills = static_cast<int64_t>(skill_names_.size());
  if (const auto seen = run.observation()) player = *seen;
}

void VoyageStatus::take(const voyager::Happening& what) {
  std::visit([this](const auto& one) { note(one); }, what);
}

void VoyageStatus::note(const voyager::SkillImported& imported) {
  beginning =
      fmt::format("skill {} of {} to start with: its description is made a vector", imported.number, imported.count);
}

void VoyageStatus::note(const voyager::TaskBegun& begun) {
  iteration = begun.row;
  step.reset();
  is_running = false;
}

void VoyageStatus::note(const voyager::ModelAsked& asked) {
  role = asked.role;
  model = asked.model;
  answer.clear();
}

void VoyageStatus::note(const voyager::AnswerPiece& piece) {
  answer += piece.text;
  if (answer.size() > 2 * kMostOfAnswer) answer.erase(0, answer.size() - kMostOfAnswer);
}

void VoyageStatus::note(const voyager::ModelAnswered& answered) {
  role.reset();
  totals.add(answered.call.answer);
}

void VoyageStatus::note(const voyager::CodeWritten& written) {
  step = written.step;
  is_running = true;
}

void VoyageStatus::note(const voyager::WorldMoved& moved) { player = moved.world.observe(); }

void VoyageStatus::note(const voyager::CodeEnded& ended) {
  step = ended.step;
  is_running = false;
  player = step->after;
  for (const voyager::Event& event : step->events) {
    if (event.kind == voyager::Event::Kind::kItem) items.emplace(event.text, step->iteration);
  }
}

void VoyageStatus::note(const voyager::CodeJudged& judged) { step = judged.step; }

void VoyageStatus::note(const voyager::TaskEnded& ended) {
  iteration = ended.row;
  ++(iteration.success ? done : failed);
  const std::string& skill = iteration.skill;
  if (skill.empty() || std::ranges::find(skill_names_, skill) != skill_names_.end()) return;
  skill_names_.push_back(skill);
  ++skills;
}

std::vector<std::string> VoyageStatus::tiers() const {
  std::vector<std::string> reached;
  for (const voyager::Tier& tier : world_.tiers) {
    const auto is_had = [this](const std::string& item) { return items.contains(item); };
    if (std::ranges::any_of(tier.items, is_had)) reached.push_back(tier.name);
  }
  return reached;
}

std::string VoyageStatus::reached() const {
  const std::vector<std::string> names = tiers();
  return fmt::format("{}, {}, {}", voyager::counted(static_cast<int64_t>(items.size()), "item"),
                     names.empty() ? no_tier(world_.tiers)
                                   : fmt::format("{} {}", names.size() == 1 ? "tier" : "tiers", fmt::join(names, ", ")),
                     voyager::counted(skills, "skill"));
}

std::string VoyageStatus::spent() const {
  std::string text = fmt::format("{}, {} tokens in, {} out", voyager::counted(totals.calls, "call"),
                                 voyager::tokens_text(totals.prompt_tokens, totals.counted),
                                 voyager::with_commas(totals.completion_tokens));
  if (totals.cost > 0) text += fmt::format(", cost {:.4f}", totals.cost);
  return text;
}

std::string event_text(const voyager::Event& event) {
  switch (event.kind) {
    case voyager::Event::Kind::kItem:
      return fmt::format("has {} for the first time", event.text);
    case voyager::Event::Kind::kHurt:
      return fmt::format("was hurt: {}", event.text);
    case voyager::Event::Kind::kDeath:
      return fmt::format("died: {}", event.text);
    case voyager::Event::Kind::kChat:
      break;
  }
  return event.text;
}

std::string error_text(const voyager::CodeError& error) {
  std::string where = error.where;
  if (error.line > 0) where += fmt::format(":{}", error.line);
  if (!where.empty()) where += ": ";
  // Lua's own messages begin with it.
  if (error.message.starts_with(where)) where.clear();
  return fmt::format("{}{}{}", error.killed ? "ended by a limit: " : "error: ", where, error.message);
}

}  // namespace caravel::cli
