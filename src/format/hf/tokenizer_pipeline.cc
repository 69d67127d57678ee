#include "format/hf/tokenizer_pipeline.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "format/hf/json_file.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

using nlohmann::json;
using Step = TokenizerData::SplitStep;

constexpr std::string_view kLowBar = "\u2581";  // what SentencePiece writes for a space

// The pattern of a ByteLevel pre-tokenizer that splits by itself: GPT-2's.
constexpr const char* kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

std::string text_of(const json& piece, const char* key) {
  const auto value = piece.find(key);
  return value != piece.end() && value->is_string() ? value->get<std::string>() : std::string();
}

class Pipeline {
 public:
  Pipeline(const std::string& path, TokenizerData& data) : path_(path), data_(data) {}

  void read(const json& root) {
    each(root, "normalizer", "normalizers", [this](const json& piece) { normalizer(piece); });
    each(root, "pre_tokenizer", "pretokenizers", [this](const json& piece) { pre_tokenizer(piece); });
    each(root, "decoder", "decoders", [this](const json& piece) { decoder(piece); });
    each(root, "post_processor", "processors", [this](const json& piece) { post_processor(piece); });
    if (data_.kind == TokenizerKind::kWordPiece) return;
    if (!byte_level_ && !has_space_mark_) {
      unsupported("tokenizer that is neither byte-level nor writes spaces as", std::string(kLowBar));
    }
    data_.kind = byte_level_ ? TokenizerKind::kByteLevelBpe : TokenizerKind::kSentencePieceBpe;
  }

 private:
  bool flag_of(const json& piece, const char* key, bool otherwise) const {
    return truth_of(piece, key, path_).value_or(otherwise);
  }

  [[noreturn]] void unsupported(std::string_view what, const std::string& name) const {
    throw fail<Unsupported>("{}: {} {} is not supported", path_, what, printable(name));
  }

  // Calls `visit` for the piece that root[key] is, or for each of a Sequence's.
  void each(const json& root, const char* key, const char* list_key, const std::function<void(const json&)>& visit) {
    const auto piece = root.find(key);
    if (piece == root.end() || piece->is_null()) return;
    visit_piece(*piece, key, list_key, visit);
  }
  void visit_piece(const json& piece, const char* key, const char* list_key,
                   const std::function<void(const json&)>& visit) {
    if (!piece.is_object()) throw fail<FormatError>("{}: {} is not an object", path_, key);
    if (text_of(piece, "type") != "Sequence") return visit(piece);
    const auto list = piece.find(list_key);
    if (list == piece.end() || !list->is_array()) {
      throw fail<FormatError>("{}: {} is a Sequence without {}", path_, key, list_key);
    }
    for (const json& part : *list) visit_piece(part, key, list_key, visit);
  }

  void normalizer(const json& piece) {
    const std::string type = text_of(piece, "type");
    if (type == "NFC") {
      data_.normalizer.push_back({.form = TokenizerData::Normalization::kNfc});
    } else if (type == "NFKC") {
      data_.normalizer.push_back({.form = TokenizerData::Normalization::kNfkc});
    } else if (type == "Prepend") {
      data_.normalizer.push_back({.content = text_of(piece, "prepend")});
    } else if (type == "Replace") {
      const std::string pattern = literal_of(piece, "normalizer");
      data_.normalizer.push_back({.pattern = pattern, .content = text_of(piece, "content")});
      has_space_mark_ |= pattern == " ";
    } else if (type == "BertNormalizer") {
      const bool lowercases = flag_of(piece, "lowercase", true);
      data_.normalizer.push_back(
          {.bert = TokenizerData::BertCleaning{.cleans_text = flag_of(piece, "clean_text", true),
                                               .parts_chinese = flag_of(piece, "handle_chinese_chars", true),
                                               .strips_accents = flag_of(piece, "strip_accents", lowercases),
                                               .lowercases = lowercases}});
    } else {
      unsupported("normalizer", type);
    }
  }

  void pre_tokenizer(const json& piece) {
    const std::string type = text_of(piece, "type");
    if (byte_level_) unsupported("a pre-tokenizer after ByteLevel:", type);
    if (type == "ByteLevel") {
      if (flag_of(piece, "add_prefix_space", true)) unsupported("pre-tokenizer ByteLevel with", "add_prefix_space");
      if (flag_of(piece, "use_regex", true)) add_step({.pattern = kGpt2Pattern});
      byte_level_ = true;
    } else if (type == "Digits") {
      add_step({.pattern = flag_of(piece, "individual_digits", false) ? "\\p{N}" : "\\p{N}+"});
    } else if (type == "Split") {
      split(piece);
    } else if (type == "Metaspace") {
      metaspace(piece);
    } else if (type == "BertPreTokenizer") {
      add_step({.is_bert = true});
    } else {
      unsupported("pre-tokenizer", type);
    }
  }

  void split(const json& piece) {
    Step step;
    const auto pattern = piece.find("pattern");
    if (pattern == piece.end() || !pattern->is_object()) throw fail<FormatError>("{}: Split without a pattern", path_);
    step.is_regex = pattern->contains("Regex");
    step.pattern = text_of(*pattern, step.is_regex ? "Regex" : "String");
    if (step.pattern.empty()) throw fail<FormatError>("{}: Split with an empty pattern", path_);
    step.invert = flag_of(piece, "invert", false);
    static const std::pair<std::string_view, Step::Behavior> kBehaviors[] = {
        {"Isolated", Step::Behavior::kIsolated},
        {"Removed", Step::Behavior::kRemoved},
        {"MergedWithPrevious", Step::Behavior::kMergedWithPrevious},
        {"MergedWithNext", Step::Behavior::kMergedWithNext},
        {"Contiguous", Step::Behavior::kContiguous},
    };
    const std::string behavior = text_of(piece, "behavior");
    const auto* known = std::find_if(std::begin(kBehaviors), std::end(kBehaviors),
                                     [&](const auto& entry) { return entry.first == behavior; });
    if (known == std::end(kBehaviors)) unsupported("Split with behavior", behavior);
    step.behavior = known->second;
    // Gemma's files split at spaces that the normalizer has already replaced.
    const bool spaces_are_gone = !data_.normalizer.empty() && data_.normalizer.back().pattern == " " &&
                                 data_.normalizer.back().content.find(' ') == std::string::npos;
    if (spaces_are_gone && !step.is_regex && step.pattern == " " && !step.invert) return;
    add_step(std::move(step));
  }

  void metaspace(const json& piece) {
    Step step;
    step.space_mark = character_of(piece, "replacement", "Metaspace");
    step.pattern = step.space_mark;
    step.is_regex = false;
    step.behavior = Step::Behavior::kMergedWithNext;
    step.prefix = prefix_of(piece);
    step.splits = flag_of(piece, "split", true);
    add_step(std::move(step));
    has_space_mark_ = true;
  }

  // Files older than prepend_scheme say add_prefix_space.
  Step::Prefix prefix_of(const json& metaspace) const {
    const std::string scheme = text_of(metaspace, "prepend_scheme");
    if (scheme == "never") return Step::Prefix::kNever;
    if (scheme == "first") return Step::Prefix::kFirst;
    if (!scheme.empty() && scheme != "always") unsupported("Metaspace with prepend_scheme", scheme);
    return flag_of(metaspace, "add_prefix_space", true) ? Step::Prefix::kAlways : Step::Prefix::kNever;
  }

  void decoder(const json& piece) {
    using Kind = TokenizerData::DecoderStep::Kind;
    const std::string type = text_of(piece, "type");
    TokenizerData::DecoderStep step{};
    if (type == "ByteLevel") {
      step.kind = Kind::kByteLevel;
    } else if (type == "Replace") {
      step = {.kind = Kind::kReplace, .pattern = literal_of(piece, "decoder"), .content = text_of(piece, "content")};
    } else if (type == "ByteFallback") {
      step.kind = Kind::kByteFallback;
    } else if (type == "Fuse") {
      step.kind = Kind::kFuse;
    } else if (type == "Strip") {
      step = {.kind = Kind::kStrip, .pattern = character_of(piece, "content", "Strip")};
      step.start = count_of(piece, "start");
      step.stop = count_of(piece, "stop");
      step.strips_text = is_one_text_;
    } else if (type == "Metaspace") {
      step = {.kind = Kind::kMetaspace, .pattern = character_of(piece, "replacement", "Metaspace")};
      step.strips_text = prefix_of(piece) != Step::Prefix::kNever;
    } else if (type == "WordPiece") {
      step = {.kind = Kind::kWordPiece, .pattern = text_of(piece, "prefix")};
      step.cleans_up = flag_of(piece, "cleanup", true);
    } else {
      unsupported("decoder", type);
    }
    check_order(step, type);
    data_.decoder.push_back(std::move(step));
  }

  // Tokens are decoded one by one, as they come. What looks at several at once, or at the end of the text, is not
  // there.
  void check_order(const TokenizerData::DecoderStep& step, const std::string& type) {
    using Kind = TokenizerData::DecoderStep::Kind;
    const bool strips_beginning = step.kind == Kind::kStrip && step.stop == 0;
    const bool already = std::ranges::any_of(data_.decoder, &TokenizerData::DecoderStep::strips_text);
    if (is_one_text_ && step.kind != Kind::kFuse && (!strips_beginning || already)) {
      unsupported(already ? "after another piece that looks at the whole text, decoder"
                          : "for a text that has been joined already, decoder",
                  type);
    }
    if (has_bytes_ && !is_one_text_ && step.kind != Kind::kFuse) unsupported("after ByteFallback, decoder", type);
    has_bytes_ |= step.kind == Kind::kByteFallback;
    is_one_text_ |= step.kind == Kind::kFuse || step.kind == Kind::kByteLevel;
  }

  void post_processor(const json& piece) {
    const std::string type = text_of(piece, "type");
    if (type == "ByteLevel") return;  // offsets alone
    const bool is_bert = type == "BertProcessing";
    if (!is_bert && type != "TemplateProcessing") unsupported("post-processor", type);
    if (has_template_) unsupported("post-processor", "Sequence with several templates");
    has_template_ = true;
    is_bert ? bert_template(piece) : text_template(piece);
    if (!data_.prefix_ids.empty()) data_.bos_id = data_.prefix_ids.front();
    if (!data_.suffix_ids.empty()) data_.eos_id = data_.suffix_ids.back();
  }

  // {"cls": ["[CLS]", 101], "sep": ["[SEP]", 102]}
  void bert_template(const json& piece) {
    const auto id_of = [&](const char* key) {
      const auto pair = piece.find(key);
      const bool is_pair =
          pair != piece.end() && pair->is_array() && pair->size() == 2 && (*pair)[1].is_number_integer();
      const int64_t id = is_pair ? (*pair)[1].get<int64_t>() : -1;
      if (id < 0 || id >= static_cast<int64_t>(data_.tokens.size())) {
        throw fail<FormatError>("{}: BertProcessing without a token {} of the vocabulary", path_, key);
      }
      return static_cast<int32_t>(id);
    };
    data_.prefix_ids = {id_of("cls")};
    data_.suffix_ids = {id_of("sep")};
  }

  void text_template(const json& piece) {
    const auto single = piece.find("single");
    if (single == piece.end() || !single->is_array()) {
      throw fail<FormatError>("{}: TemplateProcessing without a list \"single\"", path_);
    }
    int texts = 0;
    for (const json& part : *single) {
      if (part.is_object() && part.contains("Sequence")) {
        if (text_of(part["Sequence"], "id") != "A") unsupported("post-processor", "TemplateProcessing of a pair");
        ++texts;
        continue;
      }
      if (!part.is_object() || !part.contains("SpecialToken")) {
        throw fail<FormatError>("{}: TemplateProcessing with a part that is neither Sequence nor SpecialToken", path_);
      }
      append_special(piece, text_of(part["SpecialToken"], "id"), texts == 0 ? data_.prefix_ids : data_.suffix_ids);
    }
    if (texts != 1) unsupported("post-processor", "TemplateProcessing that does not give the text once");
  }

  void append_special(const json& piece, const std::string& name, std::vector<int32_t>& out) const {
    try {
      const size_t before = out.size();
      for (const json& value : piece.at("special_tokens").at(name).at("ids")) {
        const auto id = value.get<int64_t>();
        if (id < 0 || id >= static_cast<int64_t>(data_.tokens.size())) break;
        out.push_back(static_cast<int32_t>(id));
      }
      if (out.size() - before == piece["special_tokens"][name]["ids"].size() && out.size() > before) return;
    } catch (const json::exception&) {
      // said below
    }
    throw fail<FormatError>("{}: TemplateProcessing names {}, which has no id in the vocabulary", path_,
                            printable(name));
  }

  std::string literal_of(const json& piece, std::string_view what) const {
    const auto pattern = piece.find("pattern");
    const bool is_object = pattern != piece.end() && pattern->is_object();
    if (is_object && pattern->contains("Regex")) unsupported(what, "Replace of a regular expression");
    const std::string literal = is_object ? text_of(*pattern, "String") : std::string();
    if (literal.empty()) throw fail<FormatError>("{}: {} Replace without a pattern", path_, what);
    return literal;
  }

  std::string character_of(const json& piece, const char* key, std::string_view what) const {
    const std::string text = text_of(piece, key);
    if (text.empty() || text.size() != char_length(text[0])) unsupported(std::string(what) + " with " + key, text);
    return text;
  }

  size_t count_of(const json& piece, const char* key) const {
    const auto value = piece.find(key);
    if (value == piece.end() || !value->is_number_integer() || value->get<int64_t>() < 0) {
      throw fail<FormatError>("{}: decoder Strip without a count {}", path_, key);
    }
    return value->get<size_t>();
  }

  void add_step(Step step) { data_.split_steps.push_back(std::move(step)); }

  const std::string& path_;
  TokenizerData& data_;
  bool byte_level_ = false;
  bool has_space_mark_ = false;
  bool has_bytes_ = false;    // the decoder has made <0xNN> bytes
  bool is_one_text_ = false;  // ... and joined the tokens
  bool has_template_ = false;
};

}  // namespace

void read_tokenizer_pipeline(const json& root, const std::string& path, TokenizerData& data) {
  Pipeline(path, data).read(root);
}

}  // namespace caravel::format
