#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "caravel/request.h"

namespace caravel::nuggets {

inline constexpr size_t kNothingBefore = std::numeric_limits<size_t>::max();

/// The messages of a row, each with the one that it follows: those of a conversation stand in a line, those of a tree
/// branch. So what turns have in common is kept once, however long their paths are.
struct Thread {
  struct Entry {
    Message message;
    size_t before;  // its index in entries, smaller than this one's; kNothingBefore: this one begins
  };
  std::vector<Entry> entries;
};

/// One turn of an assistant with the path that leads to it: a candidate or a task.
struct Turn {
  std::shared_ptr<const Thread> thread;  // shared by a row's turns
  size_t place = 0;                      // the answer's, in thread->entries
  /// What of the last user's message is the input to the instruction, where the form tells them apart (Alpaca's input).
  /// The message is both, with kBetween.
  std::string input = {};

  static constexpr const char* kBetween = "\n\n";

  /// Not blank.
  const std::string& answer() const { return thread->entries[place].message.content; }
  /// What was said before, oldest first; there is a user's message that is not blank. Valid while the thread lives.
  std::vector<const Message*> path() const;
};

/// The last user's message without the turn's input.
std::string instruction_of(const Turn& turn);

/// A row of a file. What is said below of begin and end is of RowFile::text().
struct Row {
  std::string id;           // the row's own (RowFile says which column), as text; else "row-17", by its number
  size_t number = 0;        // from 1, of all rows that the file has, also those that cannot be used
  size_t line = 0;          // from 1, where the row begins
  std::vector<Turn> turns;  // at least one, in the file's order, a branch of a tree before the next
  size_t begin = 0;         // byte
  size_t end = 0;           // behind its last byte
};

/// Whether the same is said, and the same turns count, whatever the ids.
bool same_content(const Row& a, const Row& b);
/// The same for rows of the same content.
Hash128 content_hash(const Row& row);

}  // namespace caravel::nuggets
