#include "server/endpoint/answer_text.h"

#include <fmt/format.h>

#include <utility>

#include "base/numbers.h"
#include "base/written_number.h"

namespace caravel::server {
namespace {

/// Around the number of a list, where it stands: no JSON text has a control character as it is.
constexpr char kMark = '\x01';
/// Lists up to this many bytes are made at once: as those of a stream that is read as fast as it is made.
constexpr size_t kShort = 4 << 10;

}  // namespace

bool AnswerText::Part::write_list(std::string& out, size_t enough) {
  if (written == 0) out += '[';
  while (written < count && out.size() < enough) {
    if (written > 0) out += ',';
    write(written++, out);
  }
  if (written < count) return false;
  out += ']';
  return true;
}

Json AnswerText::list(size_t count, WriteEntry write) {
  Part part{.text = "", .count = count, .write = std::move(write)};
  std::string text;
  if (part.write_list(text, kShort)) return written_number(text);
  part.text = std::move(text);
  lists_.push_back(std::move(part));
  return written_number(fmt::format("{}{}{}", kMark, lists_.size() - 1, kMark));
}

void AnswerText::add_text(std::string_view text) {
  if (text.empty()) return;
  if (parts_.empty() || parts_.back().write) parts_.emplace_back();
  parts_.back().text += text;
}

void AnswerText::add_json(const Json& json) {
  const std::string text = to_text(json);
  std::string_view rest = text;
  while (!lists_.empty()) {
    const size_t mark = rest.find(kMark);
    if (mark == std::string_view::npos) break;
    const size_t end = rest.find(kMark, mark + 1);
    add_text(rest.substr(0, mark));
    parts_.push_back(std::move(lists_[parse_number<size_t>(rest.substr(mark + 1, end - mark - 1)).value()]));
    rest.remove_prefix(end + 1);
  }
  lists_.clear();
  add_text(rest);
}

void AnswerText::take(std::string& out) {
  const size_t enough = out.size() + kPiece;
  while (!parts_.empty() && out.size() < enough) {
    Part& part = parts_.front();
    out += std::exchange(part.text, {});
    if (part.write && !part.write_list(out, enough)) return;
    parts_.pop_front();
  }
}

}  // namespace caravel::server
