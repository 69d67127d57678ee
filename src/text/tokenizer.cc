#include "caravel/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "text/normalizer.h"
#include "text/tokenizer_data.h"
#include "text/tokenizer_impl.h"

namespace caravel {

using namespace text;
namespace {

using Model = std::variant<ByteLevelBpe, SentencePieceBpe, WordPiece>;

// What the pre-tokenizer's name adds to what the data say themselves.
NamedPreTokenizer splitting_of(const TokenizerData& data) {
  NamedPreTokenizer splitting;
  const bool by_name = data.kind == TokenizerKind::kByteLevelBpe && !data.pre_tokenizer.empty();
  if (by_name) splitting = named_pre_tokenizer(data.pre_tokenizer);
  if (!by_name) splitting.steps = data.split_steps;
  splitting.ignore_merges |= data.ignore_merges;
  return splitting;
}

std::vector<TokenizerData::NormalizerStep> normalizer_of(const TokenizerData& data,
                                                         const NamedPreTokenizer& splitting) {
  if (!data.normalizer.empty() || splitting.normalization == TokenizerData::Normalization::kNone)
    return data.normalizer;
  return {{.form = splitting.normalization}};
}

Model make_model(const TokenizerData& data, const Vocabulary& vocabulary, const NamedPreTokenizer& splitting) {
  if (data.kind == TokenizerKind::kSentencePieceBpe) return SentencePieceBpe(data, vocabulary);
  if (data.kind == TokenizerKind::kWordPiece) return WordPiece(data, vocabulary);
  return ByteLevelBpe(data, vocabulary, splitting.steps, splitting.ignore_merges);
}

// The place of a part of `whole`, which has that of `place`.
TextPlace place_of(std::string_view part, std::string_view whole, TextPlace place) {
  return place.from(static_cast<size_t>(part.data() - whole.data()));
}

void check_id(const std::optional<int32_t>& id, const char* name, const TokenizerData& data) {
  if (id && (*id < 0 || static_cast<size_t>(*id) >= data.tokens.size())) {
    throw fail<FormatError>("the tokenizer's {} token is {}, its vocabulary has {} tokens", name, *id,
                            data.tokens.size());
  }
}

// Ids are 31 bits and so are offsets into a text while it is merged.
constexpr size_t kMostBytes = size_t{1} << 31;

}  // namespace

Tokenizer::Impl::Impl(TokenizerData d)
    : data(std::move(d)),
      decoder(data),
      vocabulary(data, decoder),
      splitting(splitting_of(data)),
      normalizer(normalizer_of(data, splitting)),
      model(make_model(data, vocabulary, splitting)),
      length_bound(data, normalizer, splitting),
      raw_added(added_tokens(false)),
      normalized_added(added_tokens(true)) {
  check_id(data.bos_id, "bos", data);
  check_id(data.eos_id, "eos", data);
  check_id(data.unknown_id, "unknown", data);
  check_id(data.pad_id, "pad", data);
  for (const int32_t id : data.prefix_ids) check_id(id, "first", data);
  for (const int32_t id : data.suffix_ids) check_id(id, "last", data);
}

const TokenizerData::Token& Tokenizer::Impl::token(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= data.tokens.size()) {
    throw fail<InvalidArgument>("token {} is not in the vocabulary of {} tokens", id, data.tokens.size());
  }
  return data.tokens[static_cast<size_t>(id)];
}

AddedTokens Tokenizer::Impl::added_tokens(bool normalized_ones) const {
  std::vector<std::pair<std::string, AddedTokens::Entry>> found;
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    const auto& token = data.tokens[i];
    const bool special = token.type == TokenType::kControl || token.type == TokenType::kUnknown;
    if ((!special && token.type != TokenType::kUserDefined) || token.normalized != normalized_ones) continue;
    std::string text = token.text;
    if (token.normalized && is_valid_utf8(text)) text = normalize(text, normalizer).text;
    found.emplace_back(std::move(text), AddedTokens::Entry{{}, static_cast<int32_t>(i), special, &token});
  }
  std::vector<AddedTokens::Entry> entries;
  for (auto& [text, entry] : found) {
    entry.text = text;
    entries.push_back(entry);
  }
  return AddedTokens(entries);
}

void Tokenizer::Impl::encode_plain(std::string_view text, bool begins_input, bool parse_special,
                                   std::vector<int32_t>& out) const {
  std::vector<AddedTokens::Fragment> fragments;
  const NormalText normal = normalize(text, normalizer);
  const TextPlace place{begins_input && normal.keeps_beginning, normal.in_front};
  normalized_added.split(normal.text, parse_special, fragments);
  for (const auto& fragment : fragments) {
    if (fragment.id >= 0) {
      out.push_back(fragment.id);
    } else {
      const TextPlace within = place_of(fragment.text, normal.text, place);
      std::visit([&](const auto& chosen) { chosen.encode(fragment.text, within, parse_special, out); }, model);
    }
  }
}

Tokenizer::Tokenizer(TokenizerData data) : impl_(std::make_unique<const Impl>(std::move(data))) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  if (text.size() >= kMostBytes) {
    throw fail<InvalidArgument>("a text of {} bytes; a tokenizer takes less than {} at once", text.size(), kMostBytes);
  }
  std::string mended;
  if (!is_valid_utf8(text)) {
    if (append_complete_utf8(text, mended) > 0) mended.append(kReplacement);
    text = mended;
  }
  std::vector<int32_t> out;
  const TokenizerData& data = impl_->data;
  if (options.add_special) out = data.prefix_ids;
  std::vector<AddedTokens::Fragment> fragments;
  impl_->raw_added.split(text, options.parse_special, fragments);
  for (const auto& fragment : fragments) {
    if (fragment.id >= 0) {
      out.push_back(fragment.id);
    } else {
      const bool begins_input = fragment.text.data() == text.data();
      impl_->encode_plain(fragment.text, begins_input, options.parse_special, out);
    }
  }
  if (options.add_special) out.insert(out.end(), data.suffix_ids.begin(), data.suffix_ids.end());
  return out;
}

std::vector<int32_t> Tokenizer::encode_chat(std::string_view prompt) const {
  std::vector<int32_t> out = encode(prompt, {.add_special = false, .parse_special = true});
  const TokenizerData& data = impl_->data;
  const bool lacks_bos = data.bos_id && (out.empty() || out.front() != *data.bos_id);
  if (data.bos_in_chats && lacks_bos) out.insert(out.begin(), *data.bos_id);
  return out;
}

size_t Tokenizer::least_tokens(std::string_view text) const { return impl_->length_bound.least_tokens(text); }

std::string Tokenizer::decode(std::span<const int32_t> tokens, bool skip_special) const {
  std::string out;
  Detokenizer detokenizer(*this, skip_special);
  for (const int32_t token : tokens) detokenizer.push(token, out);
  detokenizer.finish(out);
  return out;
}

std::string_view Tokenizer::token_bytes(int32_t token) const {
  impl_->token(token);
  return impl_->vocabulary.bytes(token);
}

std::string_view Tokenizer::token_text(int32_t token) const { return impl_->token(token).text; }
TokenType Tokenizer::token_type(int32_t token) const { return impl_->token(token).type; }

std::optional<int32_t> Tokenizer::find(std::string_view stored) const { return impl_->vocabulary.find(stored); }
int Tokenizer::vocab_size() const { return impl_->vocabulary.size(); }
std::optional<int32_t> Tokenizer::bos_id() const { return impl_->data.bos_id; }
std::optional<int32_t> Tokenizer::eos_id() const { return impl_->data.eos_id; }
bool Tokenizer::adds_bos() const {
  return bos_id() && std::ranges::find(impl_->data.prefix_ids, *bos_id()) != impl_->data.prefix_ids.end();
}
std::string_view Tokenizer::bos_text() const { return bos_id() ? token_text(*bos_id()) : std::string_view(); }
std::string_view Tokenizer::eos_text() const { return eos_id() ? token_text(*eos_id()) : std::string_view(); }
bool Tokenizer::adds_space_prefix() const { return impl_->decoder.drops_leading_space(); }

}  // namespace caravel
