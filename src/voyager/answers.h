#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace caravel::voyager {

// What models answer, read as tolerantly as it can mean one thing alone: JSON by itself, in a fence or in the middle of
// other text, mended (chat/json_mender.h), or plain lines such as "Task: ...". Where there are several, the last
// counts: what stands before it was thinking.

/// Why an answer cannot be used, in a sentence for the one who wrote it.
struct Unreadable {
  std::string why;
};
template <typename T>
using Readable = std::variant<T, Unreadable>;

struct Proposal {
  std::string task;  // one line
  std::string reasoning;
};
Readable<Proposal> read_proposal(std::string_view text);

/// The texts of a list: of the object's member `key`, of a bare array, or of numbered and dashed lines. Empty ones are
/// left out, and what is beyond `most`.
Readable<std::vector<std::string>> read_list(std::string_view text, std::string_view key, size_t most);

struct Verdict {
  bool success = false;
  std::string reasoning, critique;
};
Readable<Verdict> read_verdict(std::string_view text);

/// A block of code between fences.
struct CodeBlock {
  std::string language;  // as it was written behind the fence; may be empty
  std::string code;
};
/// All of them in order; one that is not closed goes to the end.
std::vector<CodeBlock> read_code_blocks(std::string_view text);

/// One line without what frames it: spaces, quotes, stars, a full stop at the end; at most `most` bytes of whole
/// characters.
std::string one_line(std::string_view text, size_t most = 200);

}  // namespace caravel::voyager
