#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fields/json.h"
#include "nuggets/read_rows.h"

namespace caravel::nuggets {

/// Writes rows of a file in the form that was read, each with fields added: what a row has beside its turns stays, and
/// reading what was written gives the same turns. An array stays an array, a row a line; numbers stay as they were
/// written. CSV keeps its delimiter and gets columns.
class RowWriter {
 public:
  /// Takes a part of what is written, and throws where it cannot.
  using Sink = std::function<void(std::string_view)>;

  /// file: outlives the object. layout: an array or lines for what was read as either; CSV stays CSV.
  RowWriter(const RowFile& file, RowLayout layout, Sink sink);

  /// added: an object; a field that the row has already is replaced. In CSV a text stands as it is, null is an empty
  /// cell, anything else is JSON, and the first row's fields decide which columns are added.
  void write(const Row& row, const Json& added);
  /// What ends the file; nothing is written afterwards.
  void end();
  /// Names of fields that rows had already and that were replaced.
  const std::set<std::string>& replaced() const { return replaced_; }

 private:
  /// The header, where the file has one, or what the array begins with.
  void begin(const Json& added);
  void write_record(const std::vector<std::string>& cells);

  const RowFile& file_;
  const RowLayout layout_;
  Sink sink_;
  std::set<std::string> replaced_;
  std::vector<std::string> header_;  // of CSV, with what is added
  bool has_begun_ = false;
  bool has_rows_ = false;
};

}  // namespace caravel::nuggets
