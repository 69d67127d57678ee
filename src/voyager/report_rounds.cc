#include <fmt/format.h>

#include <optional>

#include "voyager/prompt_texts.h"
#include "voyager/report_parts.h"
#include "voyager/report_text.h"

namespace caravel::voyager {
namespace {

std::string event_line(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kChat:
      return fmt::format("tick {}: says \"{}\"", event.tick, event.text);
    case Event::Kind::kItem:
      return fmt::format("tick {}: has its first {}", event.tick, event.text);
    case Event::Kind::kHurt:
      return fmt::format("tick {}: is hurt: {}", event.tick, event.text);
    case Event::Kind::kDeath:
      return fmt::format("tick {}: dies{}{}", event.tick, event.text.empty() ? "" : ": ", event.text);
  }
  return {};
}

/// With its place, unless it begins with that, as Lua's do.
std::string message_of(const CodeError& error) {
  if (error.where.empty() || error.message.starts_with(fmt::format("{}:{}:", error.where, error.line)))
    return error.message;
  return error.line > 0 ? fmt::format("{} ({}, line {})", error.message, error.where, error.line)
                        : fmt::format("{} ({})", error.message, error.where);
}

std::string outcome(const StepRow& step) {
  std::vector<std::string> said;
  if (step.code.empty()) said.emplace_back("no code");
  if (step.error) said.emplace_back(step.error->killed ? "ended by a limit" : "error");
  if (step.judged) said.push_back("critic: " + yes_or_no(step.judged));
  if (step.checked) said.push_back("world: " + yes_or_no(step.checked));
  return joined(said);
}

void add_round(report::Page& page, const StepRow& step) {
  const report::Page::Fold fold(page, fmt::format("Round {}", step.round), outcome(step));
  report::Table table{"", {"", ""}, {}};
  if (!step.skills_shown.empty()) table.rows.push_back({"skills shown", joined(step.skills_shown)});
  if (!step.skills_used.empty()) table.rows.push_back({"skills used", joined(step.skills_used)});
  if (step.error) table.rows.push_back({"error", message_of(*step.error)});
  table.rows.push_back({"inventory changed by", changes_text(step.before, step.after)});
  table.rows.push_back({"ticks", with_commas(step.after.tick - step.before.tick)});
  if (!step.critique.empty()) table.rows.push_back({"critique", step.critique});
  page.table(table);
  if (!step.code.empty()) page.code(step.code, step.error && step.error->where == "code" ? step.error->line : 0);
  if (step.error && !step.error->trace.empty()) page.verbatim("Calls that led to the error", step.error->trace);
  if (step.events.empty()) return;
  std::string lines;
  for (const Event& event : step.events) lines += event_line(event) + "\n";
  const report::Page::Fold events(page, counted(static_cast<int64_t>(step.events.size()), "event"));
  page.verbatim("", lines);
}

}  // namespace

void add_rounds(report::Page& page, const RunStore& run, const RunSummary& summary) {
  page.heading("Rounds");
  if (summary.rounds == 0) return page.text("No code was run.");
  page.text("Each task with the code that was written for it, and what came of it.");
  std::optional<report::Page::Fold> fold;
  int64_t iteration = 0;
  run.each_step([&](const StepRow& step) {
    if (!fold || step.iteration != iteration) {
      iteration = step.iteration;
      const TaskOutcome* const task = summary.task(iteration);
      std::string note = task != nullptr ? result_text(*task) : "";
      if (task != nullptr && !task->row.skill.empty())
        note += fmt::format("; learnt {}, version {}", task->row.skill, task->row.skill_version);
      fold.reset();  // before another begins
      fold.emplace(page, task_title(summary, iteration), note);
      if (task != nullptr && !task->row.reason.empty()) page.text("Why: " + task->row.reason);
      if (task != nullptr && !task->row.context.empty()) page.text("How: " + task->row.context);
    }
    add_round(page, step);
  });
}

}  // namespace caravel::voyager
