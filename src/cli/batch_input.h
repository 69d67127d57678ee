#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/request.h"
#include "fields/json.h"

namespace caravel::cli {

/// How the rows of a file are written, and their results.
enum class BatchForm : uint8_t {
  kRows,    // a request's own fields, and an id
  kOpenAi,  // {"custom_id", "method", "url", "body"}, as OpenAI's Batch API and vLLM's run-batch have it
  kScores,  // {"prefix", "continuations"}, and an id: of `caravel score`
};

struct BatchRow {
  Json request;        // the whole line
  Json id;             // a text or an integer, as the row has it; "line-4", by the line's number, where it has none
  std::string key;     // the id as text: no two rows have the same
  bool named = false;  // it has an id of its own
  int64_t line = 0;
  std::string digest;  // row_digest()
};

struct BatchInput {
  BatchForm form = BatchForm::kRows;
  std::vector<BatchRow> rows;
};

/// The rows of a file ("-": standard input), without digests. form: of all of them; nothing: as the first one is.
/// Throws InvalidArgument, which names every line that is no JSON object, has no id that may be one, or an earlier
/// line's, or is of another form than the first, and where there is no row; NotFound and IoError.
BatchInput read_batch(const std::string& path, std::optional<BatchForm> form = {});

/// What tells ids apart: 7 and "7" are the same.
std::string id_key(const Json& id);

/// 32 hexadecimal digits of all that decides the row's answer: its fields, in any order, but for those that no answer
/// depends on; the flags that it leaves something to; its id where it has one; and `model`, which tells models apart.
std::string row_digest(const BatchRow& row, BatchForm form, const SamplingParams& given, std::string_view model);

}  // namespace caravel::cli
