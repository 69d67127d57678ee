#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nuggets/row_text.h"

namespace caravel::nuggets {

/// Levels of a row's arrays and objects; a tree takes two for each message.
inline constexpr size_t kMaxRowDepth = 1000;

/// Finds the rows of a text in JSON: an array of objects, an object a line, or objects one after another that have line
/// breaks within. What is no object, or broken, is found as well, and ends where the next row begins: at the next line,
/// or at the next object that has the first one's first key, and its indentation where it has a line of its own. Takes
/// time in proportion to the text, whatever it holds.
class JsonRows {
 public:
  /// text: begins with '[' or '{', but for white space; outlives the object.
  explicit JsonRows(std::string_view text);

  bool is_array() const { return layout_ == Layout::kArray; }
  /// In order. Nothing: there is no other.
  std::optional<RowText> next();

 private:
  enum class Layout : uint8_t { kLines, kArray, kObjects };

  std::optional<RowText> next_line();
  std::optional<RowText> next_object();
  void remember_row_start(size_t object);
  bool starts_row(size_t place) const;
  size_t next_row_start(size_t from) const;
  /// Behind the bracket that closes the object; nothing where there is none. Sets scanned_ to how far it looked.
  std::optional<size_t> end_of_object(size_t begin);

  std::string_view text_;
  size_t place_;
  Layout layout_ = Layout::kLines;
  LineCounter lines_;
  RereadBudget budget_;
  size_t scanned_ = 0;
  std::string_view first_key_;    // with its quotes; empty: there is none
  std::string_view indentation_;  // white space before the first row, behind a line break
  bool own_line_ = false;         // the first row begins a line
};

}  // namespace caravel::nuggets
