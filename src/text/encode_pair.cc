#include "text/encode_pair.h"

#include "base/error.h"

namespace caravel::text {

std::pair<std::vector<int32_t>, std::vector<int32_t>> encode_pair(const Tokenizer& tokenizer, std::string prefix,
                                                                  std::string continuation) {
  const size_t last = prefix.find_last_not_of(" \t\n\r\f\v");
  const size_t kept = last == std::string::npos ? 0 : last + 1;
  continuation.insert(0, prefix, kept);
  prefix.resize(kept);
  std::vector<int32_t> whole = tokenizer.encode(prefix + continuation);
  size_t split = tokenizer.encode(prefix).size();
  if (split == 0) {
    // Nothing stands before the continuation: it is scored after the token that begins or separates texts.
    const auto start = tokenizer.bos_id() ? tokenizer.bos_id() : tokenizer.eos_id();
    if (!start) throw InvalidField("prefix", "is empty, and the model has no token that begins a text");
    whole.insert(whole.begin(), *start);
    split = 1;
  }
  if (split >= whole.size()) throw InvalidArgument("a continuation adds no token to the prefix");
  const auto seam = whole.begin() + static_cast<ptrdiff_t>(split);
  return {{whole.begin(), seam}, {seam, whole.end()}};
}

}  // namespace caravel::text
