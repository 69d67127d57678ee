#pragma once

#include "fields/json.h"
#include "voyager/run_rows.h"

namespace caravel::voyager {

// The rows of a record as JSON: what the record keeps of them, and what a run's files say.

Json to_json(const StepRow& row);
Json to_json(const IterationRow& row);
/// Without the embedding.
Json to_json(const SkillRow& row);

/// Throw FormatError: something is missing or of another kind.
StepRow step_from(const Json& json);
IterationRow iteration_from(const Json& json);
SkillRow skill_from(const Json& json);

Json to_json(const Event& event);
Json to_json(const CodeError& error);
Event event_from(const Json& json);
CodeError code_error_from(const Json& json);

}  // namespace caravel::voyager
