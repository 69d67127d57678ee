#include "cli/voyage/plain_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"
#include "base/printable.h"

namespace caravel::cli {
namespace {

constexpr size_t kMostOfLine = 240;  // bytes of what models and worlds say

std::string shown(std::string_view text) { return printable(text, kMostOfLine); }

}  // namespace

PlainLog::PlainLog(VoyageStatus& status) : status_(status) {
  const voyager::IterationRow& last = status_.iteration;
  const bool goes_on = last.number > 0 && !last.success && last.rounds == 0;
  if (goes_on) tell_task();
}

void PlainLog::tell_task() const {
  const voyager::IterationRow& task = status_.iteration;
  log::show(fmt::format("[{}/{}] {}\n", task.number, status_.iterations, shown(task.task)));
}

void PlainLog::on_iteration(const voyager::IterationRow& begun) {
  status_.on_iteration(begun);
  tell_task();
}

void PlainLog::on_call(voyager::Role role, std::string_view model) { status_.on_call(role, model); }

// What a model says stands in the record; of why it is waited for, a person should know now.
void PlainLog::on_piece(std::string_view piece) {
  status_.on_piece(piece);
  if (piece.starts_with("\n[") && piece.ends_with("]\n")) {
    log::show(fmt::format("    {}: {}\n", shown(status_.model), shown(piece.substr(2, piece.size() - 4))));
  }
}

void PlainLog::on_answer(const voyager::CallRow& call) {
  status_.on_answer(call);
  log::show(fmt::format("    {}: {} + {} tokens, {:.1f} s{}\n", voyager::role_name(call.request.role),
                        grouped(call.answer.prompt_tokens), grouped(call.answer.completion_tokens), call.answer.seconds,
                        call.answer.goes_round ? ", cut: it went round in circles"
                        : call.answer.is_cut   ? ", cut by its limit of tokens"
                                               : ""));
}

void PlainLog::on_code(const voyager::StepRow& code) { status_.on_code(code); }

void PlainLog::on_world(voyager::Environment& world) { status_.on_world(world); }

void PlainLog::on_step(const voyager::StepRow& ended, voyager::Environment& world) {
  status_.on_step(ended, world);
  std::string text = fmt::format("    round {}: {}", ended.round,
                                 ended.error ? shown(error_text(*ended.error)) : "the code ran to its end");
  if (!ended.skills_used.empty()) text += fmt::format("; skills used: {}", fmt::join(ended.skills_used, ", "));
  log::show(text + "\n");
  for (const voyager::Event& event : ended.events) {
    if (event.kind != voyager::Event::Kind::kChat) log::show(fmt::format("      {}\n", shown(event_text(event))));
  }
}

void PlainLog::on_verdict(const voyager::StepRow& judged) {
  status_.on_verdict(judged);
  if (!judged.judged) return;
  const std::string world =
      !judged.checked ? "" : fmt::format(" (the world: {})", *judged.checked ? "done" : "not done");
  log::show(fmt::format("    critic: {}{}{}\n", *judged.judged ? "done" : "not done", world,
                        judged.critique.empty() ? "" : ": " + shown(judged.critique)));
}

void PlainLog::on_end(const voyager::IterationRow& ended) {
  status_.on_end(ended);
  log::show(fmt::format("    {}{}; {}\n", ended.success ? "done" : "failed",
                        ended.skill.empty() ? "" : fmt::format(": {} is kept as a skill", shown(ended.skill)),
                        status_.reached()));
}

}  // namespace caravel::cli
