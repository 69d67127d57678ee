#pragma once

#include "report/page.h"
#include "voyager/run_summary.h"

// The parts of a run's page (voyager/report.h), in its order.
namespace caravel::voyager {

void add_outcome(report::Page& page, const RunStore& run, const RunSummary& summary);
void add_items(report::Page& page, const RunSummary& summary);
void add_tasks(report::Page& page, const RunSummary& summary);
void add_critic(report::Page& page, const RunSummary& summary);
void add_skills(report::Page& page, const RunStore& run);
void add_questions(report::Page& page, const RunStore& run);
/// Code, events and errors of every round, folded by task.
void add_rounds(report::Page& page, const RunStore& run, const RunSummary& summary);
/// What models were asked, and answered; their texts as long as the page has fewer than `most_bytes`.
void add_calls(report::Page& page, const RunStore& run, const RunSummary& summary, size_t most_bytes);
/// How the run was begun.
void add_setup(report::Page& page, const RunStore& run);

/// "12. Craft 1 stick", of a task of the run by its number; the number alone where there is no such.
std::string task_title(const RunSummary& summary, int64_t iteration);

}  // namespace caravel::voyager
