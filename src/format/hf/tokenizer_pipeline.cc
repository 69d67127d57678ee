#include "format/hf/tokenizer_pipeline.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "format/printable.h"
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

bool flag_of(const json& piece, const char* key, bool otherwise) {
  const auto value = piece.find(key);
  return value != piece.end() && value->is_boolean() ? value->get<bool>() : otherwise;
}

class Pipeline {
 public:
  Pipeline(const std::string& path, TokenizerData& data) : path_(path), data_(data) {}

  void read(const json& root) {
    each(root, "normalizer", "normalizers", [this](const json& piece) { normalizer(piece); });
    each(root, "pre_tokenizer", "pretokenizers", [this](const json& piece) { pre_tokenizer(piece); });
    each(root, "decoder", "decoders", [this](const json& piece) { decoder(piece); });
    each(root, "post_processor", "processors", [this](const json& piece) { post_processor(piece); });
    if (!byte_level_ && !spaces_to_bars_) {
      unsupported("tokenizer that is neither byte-level nor writes spaces as", std::string(kLowBar));
    }
    data_.kind = byte_level_ ? TokenizerKind::kByteLevelBpe : TokenizerKind::kSentencePieceBpe;
  }

 private:
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
      data_.normalization = TokenizerData::Normalization::kNfc;
    } else if (type == "NFKC") {
      data_.normalization = TokenizerData::Normalization::kNfkc;
    } else if (type == "Prepend" && text_of(piece, "prepend") == kLowBar) {
      data_.add_space_prefix = true;
    } else if (type == "Replace" && literal_of(piece) == " " && text_of(piece, "content") == kLowBar) {
      spaces_to_bars_ = true;
    } else {
      unsupported("normalizer", type == "Replace" || type == "Prepend" ? piece.dump(-1, ' ', true) : type);
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
    if (spaces_to_bars_ && !step.is_regex && step.pattern == " " && !step.invert) return;
    add_step(std::move(step));
  }

  void metaspace(const json& piece) {
    const std::string replacement = text_of(piece, "replacement");
    if (replacement != kLowBar) unsupported("Metaspace with replacement", replacement);
    spaces_to_bars_ = true;
    const std::string scheme = text_of(piece, "prepend_scheme");
    data_.add_space_prefix = scheme.empty() ? flag_of(piece, "add_prefix_space", true) : scheme != "never";
    if (flag_of(piece, "split", true)) {
      add_step({.pattern = std::string(kLowBar), .is_regex = false, .behavior = Step::Behavior::kMergedWithNext});
    }
  }

  void decoder(const json& piece) {
    const std::string type = text_of(piece, "type");
    for (const char* known : {"ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"}) {
      if (type == known) return;
    }
    unsupported("decoder", type);
  }

  void post_processor(const json& piece) {
    const std::string type = text_of(piece, "type");
    if (type == "ByteLevel") return;  // offsets alone
    if (type != "TemplateProcessing") unsupported("post-processor", type);
    const auto single = piece.find("single");
    if (single == piece.end() || !single->is_array()) {
      throw fail<FormatError>("{}: TemplateProcessing without a list \"single\"", path_);
    }
    bool text_seen = false;
    for (const json& part : *single) {
      if (part.is_object() && part.contains("Sequence")) {
        text_seen = true;
        continue;
      }
      if (!part.is_object() || !part.contains("SpecialToken")) {
        throw fail<FormatError>("{}: TemplateProcessing with a part that is neither Sequence nor SpecialToken", path_);
      }
      bool& flag = text_seen ? data_.add_eos : data_.add_bos;
      if (flag) unsupported("post-processor", "TemplateProcessing with several special tokens on one side");
      flag = true;
      (text_seen ? data_.eos_id : data_.bos_id) = special_id(piece, text_of(part["SpecialToken"], "id"));
    }
  }

  int32_t special_id(const json& piece, const std::string& name) const {
    try {
      const auto id = piece.at("special_tokens").at(name).at("ids").at(0).get<int64_t>();
      if (id >= 0 && id < static_cast<int64_t>(data_.tokens.size())) return static_cast<int32_t>(id);
    } catch (const json::exception&) {
      // said below
    }
    throw fail<FormatError>("{}: TemplateProcessing names {}, which has no id in the vocabulary", path_,
                            printable(name));
  }

  static std::string literal_of(const json& piece) {
    const auto pattern = piece.find("pattern");
    return pattern != piece.end() && pattern->is_object() ? text_of(*pattern, "String") : std::string();
  }

  void add_step(Step step) { data_.split_steps.push_back(std::move(step)); }

  const std::string& path_;
  TokenizerData& data_;
  bool byte_level_ = false;
  bool spaces_to_bars_ = false;
};

}  // namespace

void read_tokenizer_pipeline(const json& root, const std::string& path, TokenizerData& data) {
  Pipeline(path, data).read(root);
}

}  // namespace caravel::format
