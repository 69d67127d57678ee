#include "voyager/question_cache.h"

#include <algorithm>
#include <cctype>

#include "base/float_vector.h"
#include "voyager/cosine.h"

namespace caravel::voyager {
namespace {

std::string words_of(std::string_view text) {
  std::string words;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80 || c == '_') {
      words += static_cast<char>(std::tolower(byte));
    } else if (!words.empty() && words.back() != ' ') {
      words += ' ';
    }
  }
  if (words.ends_with(' ')) words.pop_back();
  return words;
}

}  // namespace

void QuestionCache::add(QuestionRow row) {
  row.vector = unit_vector(std::move(row.vector));
  known_.push_back({words_of(row.question), std::move(row)});
}

const QuestionRow* QuestionCache::find(std::string_view question) const {
  const auto found = std::ranges::find(known_, words_of(question), &Known::words);
  return found == known_.end() ? nullptr : &found->row;
}

const QuestionRow* QuestionCache::find(const std::vector<float>& vector) const {
  const std::vector<float> direction = unit_vector(vector);
  const QuestionRow* nearest = nullptr;
  double best = kSameCosine;
  for (const Known& known : known_) {
    const double similarity = dot(direction, known.row.vector);
    if (similarity < best || (nearest != nullptr && similarity == best)) continue;
    best = similarity;
    nearest = &known.row;
  }
  return nearest;
}

}  // namespace caravel::voyager
