#include "text/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/interrupt.h"
#include "base/utf8.h"
#include "text/bert_text.h"
#include "text/normalizer.h"
#include "text/tokenizer_data.h"

namespace caravel::text {
namespace {

using Behavior = TokenizerData::SplitStep::Behavior;
using Prefix = TokenizerData::SplitStep::Prefix;

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
    check_interrupt();
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

void apply(Behavior behavior, std::vector<Span>& spans) {
  switch (behavior) {
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
}

struct Piece {
  std::string_view text;
  TextPlace place;
};

// What a Metaspace makes of a piece before it is split.
std::string with_marks(const Piece& piece, const TokenizerData::SplitStep& step, TextPlace& place) {
  const std::string& mark = step.space_mark;
  std::string text = replace_all(piece.text, " ", mark);
  place = {piece.place.begins_input, replace_all(piece.text.substr(0, piece.place.in_front), " ", mark).size()};
  const bool wants_mark = step.prefix == Prefix::kAlways || (step.prefix == Prefix::kFirst && piece.place.begins_input);
  if (wants_mark && !text.starts_with(mark)) {
    text.insert(0, mark);
    place.in_front += mark.size();
  }
  return text;
}

}  // namespace

PreTokenizer::PreTokenizer(const std::vector<TokenizerData::SplitStep>& steps) {
  for (const auto& step : steps) {
    std::optional<Regex> regex;
    if (!step.is_bert) regex = step.is_regex ? Regex(step.pattern) : Regex::literal(step.pattern);
    steps_.push_back({std::move(regex), step});
  }
}

Pieces PreTokenizer::split(std::string_view text, TextPlace place) const {
  Pieces out;
  std::vector<Piece> pieces;
  if (!text.empty()) pieces.push_back({text, place});
  std::vector<Piece> finer;
  std::vector<Span> spans;
  const CharacterSet characters = has_new_characters(text) ? CharacterSet::kUnicode16 : CharacterSet::kUnicode14;
  for (const Step& step : steps_) {
    finer.clear();
    if (!step.regex) {
      for (const Piece& piece : pieces) {
        for_each_bert_word(piece.text, [&](size_t begin, size_t end) {
          finer.push_back({piece.text.substr(begin, end - begin), piece.place.from(begin)});
        });
      }
      pieces.swap(finer);
      continue;
    }
    Regex::Searcher searcher(*step.regex, characters);
    for (Piece piece : pieces) {
      if (!step.data.space_mark.empty()) {
        TextPlace marked;
        out.rewritten_.push_back(with_marks(piece, step.data, marked));
        piece = {out.rewritten_.back(), marked};
      }
      if (!step.data.splits) {
        finer.push_back(piece);
        continue;
      }
      cover(searcher, piece.text, step.data.invert, spans);
      apply(step.data.behavior, spans);
      for (const Span& span : spans) {
        if (span.begin == span.end) continue;
        finer.push_back({piece.text.substr(span.begin, span.end - span.begin), piece.place.from(span.begin)});
      }
    }
    pieces.swap(finer);
  }
  out.list_.reserve(pieces.size());
  for (const Piece& piece : pieces) out.list_.push_back(piece.text);
  return out;
}

}  // namespace caravel::text
