// An answer of a model whose calls are spelled in the format that the first byte chooses; the second chooses the marks
// of its reasoning. Joined pieces do not depend on how the text was cut, and calls come in order, each of a tool there
// is.
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "chat/output_parser.h"

namespace {

using namespace caravel;

/// Content, reasoning, and each call's name and arguments.
std::vector<std::string> joined(chat::OutputParser& parser, std::string_view text, size_t step) {
  std::vector<std::string> parts(2);
  const auto take = [&](const std::vector<Piece>& pieces) {
    for (const Piece& piece : pieces) {
      const size_t call = 2 + 2 * static_cast<size_t>(piece.index);
      switch (piece.kind) {
        case Piece::Kind::kContent:
          parts[0] += piece.text;
          break;
        case Piece::Kind::kReasoning:
          parts[1] += piece.text;
          break;
        case Piece::Kind::kToolCall:
          if (call != parts.size()) std::abort();
          parts.insert(parts.end(), {piece.text, ""});
          break;
        case Piece::Kind::kToolArguments:
          if (call + 2 != parts.size()) std::abort();
          parts.back() += piece.text;
          break;
      }
    }
  };
  for (size_t at = 0; at < text.size(); at += step) take(parser.feed(text.substr(at, step)));
  take(parser.finish());
  return parts;
}

const Json& some_tools() {
  static const Json tools = Json::parse(R"([
      {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {
          "a": {"type": "integer"}, "s": {"type": "string"}, "any": {}, "o": {"type": ["object", "null"]}}}}},
      {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}])");
  return tools;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  static const std::vector<std::string> names = chat::tool_format_names();
  static const std::array<chat::ReasoningMarks, 4> marks = {
      {{}, {.begin = "<think>", .end = "</think>"}, {"<think>", "</think>", true}, {"[THINK]", "[/THINK]"}}};
  const chat::ToolFormat format = chat::tool_format("", names[data[0] % names.size()]);
  const chat::ReasoningMarks& reasoning = marks[data[1] % marks.size()];
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto parsed = [&](size_t step) {
    return joined(*chat::make_output_parser(format, some_tools(), reasoning), text, step);
  };
  const std::vector<std::string> whole = parsed(text.size() + 1);
  for (const size_t step : {1, 3}) {
    if (parsed(step) != whole) std::abort();
  }
  for (size_t i = 2; i < whole.size(); i += 2) {
    if (whole[i] != "add" && whole[i] != "get_weather") std::abort();
  }
  return 0;
}
