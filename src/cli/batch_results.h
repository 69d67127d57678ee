#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/batch_input.h"
#include "cli/result_fields.h"

namespace caravel::cli {

/// One row's result as it stands in a file: several lines where the row asked for several answers.
struct BatchResult {
  std::string key;     // of the row's id
  std::string digest;  // of what was answered; empty: an earlier version, or another program, wrote it
  bool failed = false;
  std::string error;   // why
  bool lacks = false;  // a field that was asked for
  int64_t line = 0;    // its first
  size_t begin = 0;    // its bytes in BatchResults::content
  size_t end = 0;
};

struct BatchResults {
  std::string content;             // the file's whole lines; what follows is a result that was cut off by a kill
  std::vector<BatchResult> items;  // in the file's order
};

/// What a file holds; nothing where there is no file, or no regular one. Throws InvalidArgument: a line that is no
/// result of that form, or an end without a line break that is not the beginning of one.
BatchResults read_results(const std::string& path, BatchForm form, const ResultFields& fields);

/// Throws InvalidArgument where an answer is of an id that no row has. An error, and an answer to a row without an id
/// of its own, may be of a row that is gone.
void refuse_foreign(const std::string& path, const BatchResults& results, const std::vector<BatchRow>& rows);

/// By row, the result that stands for it, or nullptr: of the row's id and digest, the last one, an answer before an
/// error; for a row without an id of its own any answer of its digest, wherever the row stood then. A result without a
/// digest stands for the row of its id. rows: with their digests.
std::vector<const BatchResult*> match_results(const BatchResults& results, const std::vector<BatchRow>& rows);

/// All rows have run: the file keeps the results that stand for a row, under the row's id. ordered: in the order of the
/// rows and without what depends on when they ran, so that runs that were stopped and runs that were not leave the same
/// bytes. Throws IoError.
void settle_results(const std::string& path, BatchForm form, const std::vector<BatchRow>& rows,
                    const ResultFields& fields, bool ordered);

}  // namespace caravel::cli
