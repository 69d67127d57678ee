#include "grammar/compiler.h"

#include <malloc.h>

#include <algorithm>
#include <span>

#include "base/error.h"
#include "base/log.h"
#include "caravel/engine.h"
#include "grammar/code_points.h"
#include "grammar/gbnf.h"
#include "grammar/json_schema.h"
#include "grammar/json_text.h"
#include "grammar/regex_parser.h"

namespace caravel::grammar {
namespace {

Grammar parse_choices(const std::vector<std::string>& choices) {
  if (choices.empty()) throw InvalidArgument("choice: give at least one text");
  std::vector<ExprPtr> parts;
  for (const std::string& text : choices) {
    if (text.empty()) throw InvalidArgument("choice: a text is empty");
    try {
      for (size_t place = 0; place < text.size();) next_char(text, place);
    } catch (const InvalidArgument& error) {
      throw fail<InvalidArgument>("choice: a text {}", error.what());
    }
    parts.push_back(bytes(text));
  }
  return {.rules = {{"root", choice(std::move(parts))}}};
}

Grammar parse_whole_regex(const std::string& pattern) {
  try {
    return {.rules = {{"root", parse_regex(pattern)}}};
  } catch (const Unsupported& error) {
    throw fail<Unsupported>("regex: {}", error.what());
  } catch (const Error& error) {
    throw fail<InvalidArgument>("regex: {}", error.what());
  }
}

/// One line, whatever the names hold.
void tell_ignored(const std::vector<Grammar::Annotation>& ignored) {
  constexpr size_t kMost = 10;
  constexpr size_t kMaxLength = 100;
  std::string list;
  for (const auto& [name, place] : std::span(ignored).first(std::min(ignored.size(), kMost))) {
    const std::string shown = (name + " at " + place).substr(0, kMaxLength);
    if (!list.empty()) list += ", ";
    list += Json(shown).dump(-1, ' ', true, Json::error_handler_t::replace);
  }
  if (ignored.size() > kMost) list += fmt::format(" and {} more", ignored.size() - kMost);
  log::warn("JSON schema: answers are not held to what is not known, and so an annotation: {}", list);
}

const char* name_of(GrammarSpec::Kind kind) {
  static constexpr const char* kNames[] = {"", "JSON", "JSON schema", "regex", "choice", "grammar"};
  return kNames[static_cast<int>(kind)];
}

}  // namespace

Grammar parse_spec(const GrammarSpec& spec) {
  switch (spec.kind) {
    case GrammarSpec::Kind::kJsonObject:
      return parse_json_schema(R"({"type": "object"})");
    case GrammarSpec::Kind::kJsonSchema:
      return parse_json_schema(spec.text);
    case GrammarSpec::Kind::kRegex:
      return parse_whole_regex(spec.text);
    case GrammarSpec::Kind::kChoice:
      return parse_choices(spec.choices);
    case GrammarSpec::Kind::kGbnf:
      return parse_gbnf(spec.text, spec.schemas);
    case GrammarSpec::Kind::kNone:
      break;
  }
  throw InvalidArgument("a grammar of no kind");
}

const std::shared_ptr<const TokenTrie>& Compiler::trie() {
  std::call_once(once_, [&] { trie_ = std::make_shared<TokenTrie>(make_trie_()); });
  return trie_;
}

std::shared_ptr<StateSpace> Compiler::make_space(std::shared_ptr<const Automaton> automaton) {
  const auto all = static_cast<size_t>(memory_.total());
  return std::make_shared<StateSpace>(std::move(automaton), trie(),
                                      SpaceMemory{.part = memory_.part(),
                                                  .make_room = [this] { return forget_one(); },
                                                  .max_bytes = all / 2,
                                                  .forget_bytes = std::min(kMaxSpaceBytes, all / 8)});
}

std::shared_ptr<StateSpace> Compiler::compile(const GrammarSpec& spec) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(entries_, spec, &Entry::spec);
    if (found != entries_.end()) {
      entries_.splice(entries_.begin(), entries_, found);
      return found->space;
    }
  }
  std::shared_ptr<const Automaton> automaton;
  try {
    automaton = std::make_shared<Automaton>(parse_spec(spec));
  } catch (const Unsupported& error) {
    const std::string_view what = error.what();
    if (what.starts_with(name_of(spec.kind))) throw;
    throw fail<Unsupported>("{}: {}", name_of(spec.kind), what);
  } catch (const InvalidArgument& error) {
    const std::string_view what = error.what();
    if (what.starts_with(name_of(spec.kind))) throw;
    throw fail<InvalidArgument>("{}: {}", name_of(spec.kind), what);
  }
  if (!automaton->ignored().empty()) tell_ignored(automaton->ignored());
  std::shared_ptr<StateSpace> space = make_space(std::move(automaton));
  {
    const std::lock_guard lock(mutex_);
    entries_.push_front({spec, space});
    if (entries_.size() <= kMaxGrammars) return space;
  }
  forget_one();
  return space;
}

bool Compiler::forget_one() {
  std::shared_ptr<StateSpace> unused;  // ends outside the lock: there may be much of it
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.end(); entry != entries_.begin();) {
    --entry;
    if (entry->space.use_count() > 1) continue;
    unused = std::move(entry->space);
    entries_.erase(entry);
    return true;
  }
  return false;
}

void Compiler::tidy(size_t kept_bytes) {
  const auto unused_bytes = [this] {
    const std::lock_guard lock(mutex_);
    size_t bytes = 0;
    for (const Entry& entry : entries_) bytes += entry.space.use_count() > 1 ? 0 : entry.space->bytes();
    return bytes;
  };
  while (unused_bytes() > kept_bytes && forget_one()) continue;
  ::malloc_trim(0);
}

}  // namespace caravel::grammar
