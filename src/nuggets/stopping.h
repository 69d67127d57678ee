#pragma once

#include <cstdint>

#include "nuggets/row_score.h"

namespace caravel::nuggets {

/// All tasks for each row.
TaskTarget all_tasks();
/// Until the row's golden score is settled on one side of the threshold, whatever the tasks that are left say. Never
/// more tasks at once than could settle it, but a few where so few would leave the engine's steps empty.
TaskTarget until_settled(double threshold);
/// Until the tasks seen say so with confidence: Race. A row of several turns until it is settled. tasks: how many there
/// are.
TaskTarget until_raced(double threshold, double risk, int64_t tasks);

}  // namespace caravel::nuggets
