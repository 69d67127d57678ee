#include <algorithm>

#include "voyager/answers.h"
#include "voyager/text_lines.h"

namespace caravel::voyager {

std::vector<CodeBlock> read_code_blocks(std::string_view text) {
  std::vector<CodeBlock> blocks;
  std::string fence;  // that opened the block; empty: outside
  for (std::string_view line : lines_of(text)) {
    const std::string_view inner = trimmed(line);
    const size_t marks = inner.empty() || (inner[0] != '`' && inner[0] != '~')
                             ? 0
                             : std::min(inner.find_first_not_of(inner[0]), inner.size());
    if (fence.empty()) {
      if (marks < 3) continue;
      fence = inner.substr(0, marks);
      blocks.push_back({one_line(inner.substr(marks)), ""});
    } else if (marks >= fence.size() && inner[0] == fence[0] && marks == inner.size()) {
      fence.clear();
    } else {
      if (line.ends_with('\r')) line.remove_suffix(1);
      blocks.back().code.append(line).append("\n");
    }
  }
  std::erase_if(blocks, [](const CodeBlock& block) { return trimmed(block.code).empty(); });
  return blocks;
}

}  // namespace caravel::voyager
