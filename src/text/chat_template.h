#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace caravel::text {

/// What a chat template sees beside its own variables. Keys keep their order, as Python's dicts do.
struct ChatInput {
  nlohmann::ordered_json messages;             // [{"role", "content", ...}]
  nlohmann::ordered_json tools = nullptr;      // list or null
  nlohmann::ordered_json documents = nullptr;  // list or null
  bool add_generation_prompt = true;
  nlohmann::ordered_json kwargs = nlohmann::ordered_json::object();  // chat_template_kwargs, e.g. enable_thinking
  std::string bos_token;                                             // empty: the template has none
  std::string eos_token;
  std::optional<std::tm> now = std::nullopt;  // local time that strftime_now formats; the clock's where absent
};

/// What one rendering may spend before it counts as a runaway. A step is a node evaluated or an item visited.
struct RenderLimits {
  int64_t steps = 10'000'000;
  size_t text_bytes = 64 << 20;
};

/// A model's chat template: Jinja as `transformers` runs it (docs/chat-templates.md says which filters, tests and
/// globals there are). Parsed once, immutable: any thread may render.
class ChatTemplate {
 public:
  /// Throws FormatError (a syntax error, with its line) and Unsupported (outside the language's used part, named, with
  /// its line).
  explicit ChatTemplate(std::string_view source);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  /// Throws InvalidArgument: what the template raised (raise_exception), or an operation on values that do not allow
  /// it, with its line; CapacityError when it runs away (more than the limits, or nested too deep).
  std::string render(const ChatInput& input, const RenderLimits& limits = {}) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace caravel::text
