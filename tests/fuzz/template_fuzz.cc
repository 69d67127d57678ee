// A template and, after a zero byte, the JSON of its input: renders, or refuses with one of the named errors.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.h"
#include "text/chat_template.h"

namespace {

// Less than a server allows, so that a runaway costs the fuzzer little.
constexpr caravel::text::RenderLimits kLimits{100'000, 1 << 20};

caravel::text::ChatInput read_input(std::string_view json) {
  caravel::text::ChatInput input;
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  input.now = std::tm{};
  input.messages = nlohmann::ordered_json::parse(json, nullptr, false);
  if (!input.messages.is_array()) {
    input.messages = {{{"role", "user"}, {"content", "Hi \xC3\xA9"}},
                      {{"role", "assistant"}, {"content", {{{"type", "text"}, {"text", "Yes"}}}}, {"n", 3}}};
    input.tools = {{{"type", "function"}, {"function", {{"name", "f"}, {"parameters", nullptr}}}}};
  }
  return input;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(text.find('\0'), text.size());
  try {
    const caravel::text::ChatTemplate chat_template(text.substr(0, end));
    chat_template.render(read_input(text.substr(std::min(end + 1, text.size()))), kLimits);
  } catch (const caravel::Error&) {
    // refused, as it should be
  }
  return 0;
}
