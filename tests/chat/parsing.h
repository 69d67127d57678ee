#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "chat/output_parser.h"

namespace caravel::chat {

using nlohmann::ordered_json;

struct Call {
  std::string name;
  std::string arguments;
  bool operator==(const Call&) const = default;
};

/// What an answer's pieces, joined, come to.
struct Parsed {
  std::string content;
  std::string reasoning;
  std::vector<Call> calls;
  bool operator==(const Parsed&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Parsed& parsed) {
  out << "content '" << parsed.content << "', reasoning '" << parsed.reasoning << "'";
  for (const Call& call : parsed.calls) out << ", " << call.name << "(" << call.arguments << ")";
  return out;
}

inline ordered_json tools_named(const std::vector<std::string>& names) {
  ordered_json tools = ordered_json::array();
  for (const std::string& name : names) {
    tools.push_back({{"type", "function"}, {"function", {{"name", name}, {"parameters", {{"type", "object"}}}}}});
  }
  return tools;
}

inline void join(const std::vector<Piece>& pieces, Parsed& parsed) {
  for (const Piece& piece : pieces) {
    switch (piece.kind) {
      case Piece::Kind::kContent:
        parsed.content += piece.text;
        break;
      case Piece::Kind::kReasoning:
        parsed.reasoning += piece.text;
        break;
      case Piece::Kind::kToolCall:
        ASSERT_EQ(piece.index, static_cast<int>(parsed.calls.size()));
        parsed.calls.push_back({piece.text, ""});
        break;
      case Piece::Kind::kToolArguments:
        ASSERT_EQ(piece.index + 1, static_cast<int>(parsed.calls.size()));
        parsed.calls.back().arguments += piece.text;
        break;
    }
  }
}

/// Parses `text` in pieces of `length()` bytes each.
template <typename Length>
Parsed parse_cut(ToolFormat format, const ordered_json& tools, const ReasoningMarks& marks, std::string_view text,
                 Length length) {
  const auto parser = make_output_parser(format, tools, marks);
  Parsed parsed;
  while (!text.empty()) {
    const size_t count = std::min<size_t>(length(), text.size());
    join(parser->feed(text.substr(0, count)), parsed);
    text.remove_prefix(count);
  }
  join(parser->finish(), parsed);
  return parsed;
}

/// Parses `text` whole, and holds every other way of cutting it against that.
inline Parsed parse(ToolFormat format, std::string_view text, const ReasoningMarks& marks = {},
                    const ordered_json& tools = tools_named({"get_weather", "add"})) {
  const Parsed whole = parse_cut(format, tools, marks, text, [] { return size_t{1} << 30; });
  EXPECT_EQ(whole, parse_cut(format, tools, marks, text, [] { return 1; })) << "byte by byte: " << text;
  std::mt19937 random(static_cast<unsigned>(text.size()));
  for (int round = 0; round < 20; ++round) {
    const Parsed cut = parse_cut(format, tools, marks, text, [&] { return 1 + random() % 7; });
    EXPECT_EQ(whole, cut) << "round " << round << ": " << text;
  }
  return whole;
}

/// Every format that reads calls.
inline constexpr ToolFormat kCallFormats[] = {
    ToolFormat::kHermes,   ToolFormat::kLlama3, ToolFormat::kMistral, ToolFormat::kGemma, ToolFormat::kHarmony,
    ToolFormat::kDeepSeek, ToolFormat::kGlm,    ToolFormat::kMiniMax, ToolFormat::kQwen,  ToolFormat::kGranite,
    ToolFormat::kPhi,      ToolFormat::kOlmo,   ToolFormat::kGeneral};

inline Parsed content(std::string text) { return {std::move(text), "", {}}; }
inline Parsed calls(std::vector<Call> some, std::string text = "") { return {std::move(text), "", std::move(some)}; }

}  // namespace caravel::chat
