#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"
#include "text/regex_syntax.h"

namespace caravel::text {
namespace {

// Backtracks in one search: seconds. Honest patterns need one for each byte.
constexpr uint32_t kMatchLimit = 1'000'000'000;
constexpr size_t kJitStackStart = 64u << 10;
constexpr size_t kJitStackMost = 64u << 20;

}  // namespace

/// Of members of a class that others know, and so none of this file alone.
template <auto kFree>
struct Pcre2Freer {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};

struct Regex::Code {
  std::string pattern;
  std::shared_ptr<pcre2_code> by_unicode_16;
  std::shared_ptr<pcre2_code> by_unicode_14;  // the same where the pattern has no class that differs
};

struct Regex::Searcher::State {
  const Code* code;
  const pcre2_code* compiled;
  std::unique_ptr<pcre2_match_data, Pcre2Freer<pcre2_match_data_free>> data;
  std::unique_ptr<pcre2_match_context, Pcre2Freer<pcre2_match_context_free>> context;
  std::unique_ptr<pcre2_jit_stack, Pcre2Freer<pcre2_jit_stack_free>> stack;
};

namespace {

std::shared_ptr<pcre2_code> compile(const std::string& source, std::string_view pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  std::shared_ptr<pcre2_code> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr),
      pcre2_code_free);
  if (!code) {
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(error, message, sizeof(message));
    throw fail<FormatError>("the tokenizer's pattern {} does not compile: {} at byte {} of {}", pattern,
                            reinterpret_cast<const char*>(message), offset, source);
  }
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // where it cannot, pcre2_match interprets
  return code;
}

}  // namespace

Regex::Regex(std::string_view pattern) {
  auto code = std::make_unique<Code>();
  code->pattern = pattern;
  const std::string exact = to_pcre2(pattern, CharacterSet::kUnicode16);
  const std::string fast = to_pcre2(pattern, CharacterSet::kUnicode14);
  code->by_unicode_16 = compile(exact, pattern);
  code->by_unicode_14 = fast == exact ? code->by_unicode_16 : compile(fast, pattern);
  code_ = std::move(code);
}

Regex Regex::literal(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view("\\^$.[]|()?*+{}-#").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return Regex(pattern);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

Regex::Searcher::Searcher(const Regex& regex, CharacterSet characters) : state_(std::make_unique<State>()) {
  state_->code = regex.code_.get();
  const bool exact = characters == CharacterSet::kUnicode16;
  state_->compiled = (exact ? state_->code->by_unicode_16 : state_->code->by_unicode_14).get();
  state_->data.reset(pcre2_match_data_create_from_pattern(state_->compiled, nullptr));
  state_->context.reset(pcre2_match_context_create(nullptr));
  state_->stack.reset(pcre2_jit_stack_create(kJitStackStart, kJitStackMost, nullptr));
  if (!state_->data || !state_->context || !state_->stack) throw std::bad_alloc();
  pcre2_jit_stack_assign(state_->context.get(), nullptr, state_->stack.get());
  pcre2_set_match_limit(state_->context.get(), kMatchLimit);
}

Regex::Searcher::~Searcher() = default;
Regex::Searcher::Searcher(Searcher&&) noexcept = default;
Regex::Searcher& Regex::Searcher::operator=(Searcher&&) noexcept = default;

std::optional<Regex::Match> Regex::Searcher::find(std::string_view text, size_t from) {
  const auto search = [&](uint32_t options) {
    return pcre2_match(state_->compiled, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                       PCRE2_NO_UTF_CHECK | options, state_->data.get(), state_->context.get());
  };
  int count = search(0);
  if (count == PCRE2_ERROR_JIT_STACKLIMIT) count = search(PCRE2_NO_JIT);  // keeps its frames on the heap
  if (count == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (count < 0) {
    throw fail<FormatError>("the tokenizer's pattern {} gives up on a text of {} bytes (PCRE2 error {})",
                            state_->code->pattern, text.size(), count);
  }
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(state_->data.get());
  return Match{offsets[0], offsets[1]};
}

}  // namespace caravel::text
