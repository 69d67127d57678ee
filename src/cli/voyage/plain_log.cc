#include "cli/voyage/plain_log.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/printable.h"
#include "voyager/report_text.h"

namespace caravel::cli {
namespace {

constexpr size_t kMostOfLine = 240;  // bytes of what models and worlds say

std::string shown(std::string_view text) { return printable(text, kMostOfLine); }

}  // namespace

PlainLog::PlainLog(VoyageStatus& status) : status_(status) {
  const voyager::IterationRow& last = status_.iteration;
  const bool goes_on = last.number > 0 && !last.has_ended();
  if (goes_on) tell_task();
}

void PlainLog::tell_task() const {
  const voyager::IterationRow& task = status_.iteration;
  log::show(fmt::format("[{}/{}] {}\n", task.number, status_.iterations, shown(task.task)));
}

void PlainLog::on(const voyager::Happening& what) {
  status_.take(what);
  const auto tell_it = [this](const auto& one) {
    if constexpr (requires { tell(one); }) tell(one);
  };
  std::visit(tell_it, what);
}

void PlainLog::tell(const voyager::SkillImported& imported) const {
  constexpr int64_t kEvery = 100;  // of many, which take long
  if (imported.number % kEvery == 1) log::show(status_.beginning + "\n");
}

void PlainLog::tell(const voyager::TaskBegun& /*begun*/) const { tell_task(); }

// What a model says stands in the record; of why it is waited for, a person should know now.
void PlainLog::tell(const voyager::AnswerPiece& piece) const {
  if (piece.text.starts_with("\n[") && piece.text.ends_with("]\n")) {
    log::show(fmt::format("    {}: {}\n", shown(status_.model), shown(piece.text.substr(2, piece.text.size() - 4))));
  }
}

void PlainLog::tell(const voyager::ModelAnswered& answered) const {
  const voyager::ModelAnswer& answer = answered.call.answer;
  log::show(fmt::format("    {}: {} + {} tokens, {:.1f} s{}\n", voyager::role_name(answered.call.request.role),
                        voyager::with_commas(answer.prompt_tokens), voyager::with_commas(answer.completion_tokens),
                        answer.seconds,
                        answer.goes_round ? ", cut: it went round in circles"
                        : answer.is_cut   ? ", cut by its limit of tokens"
                                          : ""));
}

void PlainLog::tell(const voyager::CodeEnded& ended) const {
  const voyager::StepRow& step = ended.step;
  std::string text = fmt::format("    round {}: {}", step.round,
                                 step.error ? shown(error_text(*step.error)) : "the code ran to its end");
  if (!step.skills_used.empty()) text += "; skills used: " + voyager::joined(step.skills_used);
  log::show(text + "\n");
  for (const voyager::Event& event : step.events) {
    if (event.kind != voyager::Event::Kind::kChat) log::show(fmt::format("      {}\n", shown(event_text(event))));
  }
}

void PlainLog::tell(const voyager::CodeJudged& judged) const {
  const voyager::StepRow& step = judged.step;
  if (!step.judged) return;
  const std::string world = !step.checked ? "" : fmt::format(" (the world: {})", *step.checked ? "done" : "not done");
  log::show(fmt::format("    critic: {}{}{}\n", *step.judged ? "done" : "not done", world,
                        step.critique.empty() ? "" : ": " + shown(step.critique)));
}

void PlainLog::tell(const voyager::TaskEnded& ended) const {
  log::show(fmt::format("    {}{}; {}\n", ended.row.success ? "done" : "failed",
                        ended.row.skill.empty() ? "" : fmt::format(": {} is kept as a skill", shown(ended.row.skill)),
                        status_.reached()));
}

}  // namespace caravel::cli
