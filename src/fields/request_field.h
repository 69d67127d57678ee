#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "caravel/request.h"

namespace caravel {

inline constexpr double kMostInt = std::numeric_limits<int>::max();

/// Where a request can come from: the body of an HTTP endpoint, a row of a JSONL file, the command line.
enum class Surface : uint16_t {
  kCompletions = 1 << 0,  // POST /v1/completions
  kChat = 1 << 1,         // POST /v1/chat/completions
  kResponses = 1 << 2,    // POST /v1/responses
  kMessages = 1 << 3,     // POST /v1/messages
  kCountTokens = 1 << 4,  // POST /v1/messages/count_tokens
  kEmbeddings = 1 << 5,   // POST /v1/embeddings
  kScore = 1 << 6,        // POST /v1/score
  kTokenize = 1 << 7,     // POST /tokenize
  kDetokenize = 1 << 8,   // POST /detokenize
  kRows = 1 << 9,         // caravel generate --input
  kFlags = 1 << 10,       // the flags of caravel generate
  kTerminal = 1 << 11,    // the same flags of caravel chat, and of generate --chat
};

/// Some of them.
class Surfaces {
 public:
  constexpr Surfaces() = default;
  constexpr Surfaces(Surface surface) : bits_(static_cast<uint16_t>(surface)) {}

  constexpr bool has(Surface surface) const { return (bits_ & static_cast<uint16_t>(surface)) != 0; }
  constexpr bool has_all(Surfaces others) const { return (bits_ & others.bits_) == others.bits_; }
  constexpr bool overlaps(Surfaces others) const { return (bits_ & others.bits_) != 0; }

  friend constexpr Surfaces operator|(Surfaces a, Surfaces b) { return Surfaces(a.bits_ | b.bits_); }

 private:
  constexpr explicit Surfaces(int bits) : bits_(static_cast<uint16_t>(bits)) {}
  uint16_t bits_ = 0;
};
constexpr Surfaces operator|(Surface a, Surface b) { return Surfaces(a) | Surfaces(b); }

/// Bodies that ask for answers.
inline constexpr Surfaces kGenerating =
    Surface::kCompletions | Surface::kChat | Surface::kResponses | Surface::kMessages;
inline constexpr Surfaces kHttp = kGenerating | Surface::kCountTokens | Surface::kEmbeddings | Surface::kScore |
                                  Surface::kTokenize | Surface::kDetokenize;
inline constexpr Surfaces kCommandLine = Surface::kFlags | Surface::kTerminal;

enum class FieldType : uint8_t {
  kJson,  // RequestField::schema says what
  kBoolean,
  kInteger,
  kNumber,
  kSeed,  // 64 bits
  kText,
  kTexts,
  kTextOrTexts,
  kTokenIds,
  kLogitBias,  // an object of token id: number in range
};

/// The numbers that a field may be.
struct NumberRange {
  double low = std::numeric_limits<float>::lowest();
  double high = std::numeric_limits<float>::max();
  bool above = false;  // low itself is outside

  /// NaN is in none.
  constexpr bool has(double value) const { return (above ? value > low : value >= low) && value <= high; }
  bool operator==(const NumberRange&) const = default;
};

enum class FieldUse : uint8_t {
  kRead,
  kIgnored,  // taken, and no answer depends on it
  kRefused,  // known, but not served
};

/// One row of the table of fields: all that a surface, its documentation and its checks know of a field.
struct RequestField {
  using Member = std::variant<std::monostate, bool SamplingParams::*, std::optional<int> SamplingParams::*,
                              std::optional<float> SamplingParams::*, std::optional<uint64_t> SamplingParams::*,
                              std::vector<std::string> SamplingParams::*, std::vector<int32_t> SamplingParams::*,
                              std::vector<std::pair<int32_t, float>> SamplingParams::*>;
  using ModelMember = std::variant<std::monostate, std::optional<int> GenerationDefaults::*,
                                   std::optional<float> GenerationDefaults::*>;
  struct Default {
    Surfaces surfaces;
    double value = 0;
  };

  // "a.b": of the object a; such a row says what is ignored or refused there, or is one form of the answer.
  std::string_view name;
  Surfaces surfaces;
  FieldType type = FieldType::kJson;
  std::string_view help;                       // what it does, in a few words: --help, OpenAPI and docs/api.md show it
  Member member = {};                          // none: the surface reads the field by hand, or it is a form
  ModelMember model = {};                      // where the model's files may say it
  NumberRange range = {};                      // where a number, or a logit bias, must lie
  std::optional<NumberRange> http_range = {};  // OpenAI's, where it is narrower
  size_t http_max_items = std::numeric_limits<size_t>::max();
  std::optional<double> otherwise = {};    // what it is where nobody says anything; of a boolean 0 or 1
  std::array<Default, 2> exceptions = {};  // surfaces that differ from that
  Surfaces required = {};
  std::string_view schema = {};  // kJson: the field's JSON schema, as text; empty: anything
  FieldUse use = FieldUse::kRead;
  std::string_view instead = {};                      // kRefused: what to do instead
  std::string_view harmless = "null";                 // kRefused: the value that is no complaint, as JSON
  std::string_view flag = {};                         // on the command line; empty: "--" and the name, with hyphens
  GrammarSpec::Kind form = GrammarSpec::Kind::kNone;  // what the answer must look like, where the field says it

  NumberRange range_on(Surface surface) const { return http_range && kHttp.has(surface) ? *http_range : range; }
  size_t max_items_on(Surface surface) const {
    return kHttp.has(surface) ? http_max_items : std::numeric_limits<size_t>::max();
  }
  bool is_inner() const { return !outer().empty(); }
  std::string_view outer() const;     // of "a.b" a; empty for a field of the request itself
  std::string_view own_name() const;  // of "a.b" b
  std::optional<double> default_on(Surface surface) const;
  /// "--top-p"; "-s,--seed"; "!--keep-special-tokens", which switches it off.
  std::string flag_names() const;
};

/// All of them. A name stands on a surface once. Where two rows of a surface have the same member, the later one
/// counts for more.
std::span<const RequestField> request_fields();

/// nullptr: the surface knows no such field.
const RequestField* find_field(std::string_view name, Surface surface);

/// Of a name that `surface` does not know: the field that it nearly is, or else the endpoint that reads it, as a
/// sentence; empty: neither.
std::string unknown_field_hint(std::string_view name, Surface surface);

}  // namespace caravel
