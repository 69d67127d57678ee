#include "text/pre_tokenizer.h"

#include <algorithm>

#include "base/utf8.h"
#include "text/tokenizer_data.h"
#include "text/unicode.h"

namespace caravel::text {
namespace {

using Behavior = TokenizerData::SplitStep::Behavior;

struct Span {
  size_t begin;
  size_t end;
  bool is_match;
};

// Matches and what lies between them, covering `text`. An empty match is a border alone.
void cover(Regex::Searcher& searcher, std::string_view text, bool invert, std::vector<Span>& spans) {
  spans.clear();
  size_t end = 0;  // where what is covered ends
  for (size_t from = 0; from <= text.size();) {
    const auto match = searcher.find(text, from);
    if (!match) break;
    if (match->first > end) spans.push_back({end, match->first, invert});
    spans.push_back({match->first, match->second, !invert});
    end = match->second;
    from = end;
    if (match->first == match->second) from += from < text.size() ? char_length(text[from]) : 1;
  }
  if (end < text.size()) spans.push_back({end, text.size(), invert});
}

// A match joins its left neighbour, unless that is a match too.
void merge_with_previous(std::vector<Span>& spans) {
  size_t kept = 0;
  bool previous_match = false;
  for (const Span span : spans) {
    if (span.is_match && !previous_match && kept > 0) {
      spans[kept - 1].end = span.end;
    } else {
      spans[kept++] = span;
    }
    previous_match = span.is_match;
  }
  spans.resize(kept);
}

// A match joins its right neighbour, unless that is a match too.
void merge_with_next(std::vector<Span>& spans) {
  std::vector<Span> merged;
  bool next_match = false;
  for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
    if (span->is_match && !next_match && !merged.empty()) {
      merged.back().begin = span->begin;
    } else {
      merged.push_back(*span);
    }
    next_match = span->is_match;
  }
  spans.assign(merged.rbegin(), merged.rend());
}

void merge_contiguous(std::vector<Span>& spans) {
  size_t kept = 0;
  for (const Span span : spans) {
    if (kept > 0 && spans[kept - 1].is_match == span.is_match) {
      spans[kept - 1].end = span.end;
    } else {
      spans[kept++] = span;
    }
  }
  spans.resize(kept);
}

}  // namespace

PreTokenizer::PreTokenizer(const std::vector<TokenizerData::SplitStep>& steps) {
  for (const auto& step : steps) {
    steps_.push_back({step.is_regex ? Regex(step.pattern) : Regex::literal(step.pattern), step.invert, step.behavior});
  }
}

std::vector<std::string_view> PreTokenizer::split(std::string_view text) const {
  std::vector<std::string_view> pieces;
  if (!text.empty()) pieces.push_back(text);
  std::vector<std::string_view> finer;
  std::vector<Span> spans;
  for (const Step& step : steps_) {
    Regex::Searcher searcher(step.regex);
    finer.clear();
    for (const std::string_view piece : pieces) {
      cover(searcher, piece, step.invert, spans);
      switch (step.behavior) {
        case Behavior::kIsolated:
          break;
        case Behavior::kRemoved:
          std::erase_if(spans, [](const Span& span) { return span.is_match; });
          break;
        case Behavior::kMergedWithPrevious:
          merge_with_previous(spans);
          break;
        case Behavior::kMergedWithNext:
          merge_with_next(spans);
          break;
        case Behavior::kContiguous:
          merge_contiguous(spans);
          break;
      }
      for (const Span& span : spans) {
        if (span.begin < span.end) finer.push_back(piece.substr(span.begin, span.end - span.begin));
      }
    }
    pieces.swap(finer);
  }
  return pieces;
}

}  // namespace caravel::text
