#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/interrupt.h"
#include "text/pair_map.h"
#include "text/tokenizer_data.h"
#include "text/vocabulary.h"

namespace caravel::text {

/// A run of text that stands for one token, or, before merging, for one character or byte that may be none.
struct Symbol {
  int32_t id;       // -1: not in the vocabulary
  uint32_t begin;   // bytes into the text
  uint32_t length;  // bytes
};

/// What two neighbours become; the lowest priority merges first.
struct Merge {
  uint32_t priority;
  int32_t id;
};

/// Byte-pair encoding (Sennrich et al. 2016): merges the best pair of neighbours, the leftmost of equals, until none is
/// left. O(n log n): a heap over a linked list. Keeps its memory from call to call; one thread at a time.
class Merger {
 public:
  /// `symbols` are neighbours in order; afterwards they are what is left. find(left, right) gives a pointer to the
  /// Merge of two symbols or null.
  template <typename Find>
  void run(std::vector<Symbol>& symbols, Find&& find);

 private:
  struct Candidate {
    uint64_t order;   // priority, then the left symbol's index
    uint32_t right;   // its index
    uint32_t length;  // both together; another length later means that one of them has merged meanwhile
    int32_t id;
    bool operator>(const Candidate& other) const { return order > other.order; }
  };
  struct Link {
    uint32_t previous;
    uint32_t next;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  std::vector<Candidate> heap_;
  std::vector<Link> links_;
};

template <typename Find>
void Merger::run(std::vector<Symbol>& symbols, Find&& find) {
  const auto count = static_cast<uint32_t>(symbols.size());
  if (count < 2) return;
  const auto candidate = [&](uint32_t left, uint32_t right) {
    const Merge* merge = find(symbols[left], symbols[right]);
    if (!merge) return false;
    heap_.push_back({(static_cast<uint64_t>(merge->priority) << 32) | left, right,
                     symbols[left].length + symbols[right].length, merge->id});
    return true;
  };

  heap_.clear();
  for (uint32_t i = 1; i < count; ++i) {
    if (i % 65'536 == 0) check_interrupt_now();  // one piece may be all of a text
    candidate(i - 1, i);
  }
  if (heap_.empty()) return;
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
  links_.resize(count);
  for (uint32_t i = 0; i < count; ++i)
    links_[i] = {i - 1, i + 1 < count ? i + 1 : kNone};  // the first's previous: kNone

  while (!heap_.empty()) {
    check_interrupt();
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    const Candidate best = heap_.back();
    heap_.pop_back();
    const auto left = static_cast<uint32_t>(best.order);
    Symbol& kept = symbols[left];
    Symbol& gone = symbols[best.right];
    // A symbol that has merged into its left neighbour has length 0.
    if (kept.length == 0 || gone.length == 0 || kept.length + gone.length != best.length) continue;
    kept.id = best.id;
    kept.length = best.length;
    gone.length = 0;
    Link& link = links_[left];
    link.next = links_[best.right].next;
    if (link.next != kNone) {
      links_[link.next].previous = left;
      if (candidate(left, link.next)) std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }
    if (link.previous != kNone && candidate(link.previous, left)) {
      std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }
  }
  std::erase_if(symbols, [](const Symbol& symbol) { return symbol.length == 0; });
}

/// What becomes of characters that the vocabulary lacks. Immutable.
struct UnknownCharacters {
  UnknownCharacters(const TokenizerData& data, const Vocabulary& vocabulary);

  bool byte_fallback;
  bool fuse;
  bool left_out_parts;
  int32_t unknown_id;                    // -1: none
  std::array<int32_t, 256> byte_tokens;  // -1: none
};

/// Makes the symbols of one piece as BPE of `tokenizers` does: in order, but that an unknown token comes behind the
/// bytes' tokens that follow it; both may merge as others.
class SymbolWriter {
 public:
  SymbolWriter(const UnknownCharacters& unknown, std::vector<Symbol>& symbols) : unknown_(unknown), symbols_(symbols) {}

  void add(Symbol symbol) {
    finish();
    symbols_.push_back(symbol);
  }
  /// A character without a token; `spelled` is what its bytes' tokens would spell.
  void add_unknown(std::string_view spelled, uint32_t begin, uint32_t length);
  /// The end of the piece.
  void finish() {
    if (run_.length > 0) symbols_.push_back(run_);
    run_.length = 0;
  }

 private:
  const UnknownCharacters& unknown_;
  std::vector<Symbol>& symbols_;
  Symbol run_ = {-1, 0, 0};  // unknown characters that are not written yet
};

/// Merges by rank: the pairs of a tokenizer's list, the first of it first. Immutable.
class RankedMerges {
 public:
  /// Throws FormatError where a pair or what it makes is not in the vocabulary.
  RankedMerges(const TokenizerData& data, const Vocabulary& vocabulary);
  const Merge* find(const Symbol& left, const Symbol& right) const { return merges_.find(left.id, right.id); }

 private:
  PairMap<Merge> merges_;
};

}  // namespace caravel::text
