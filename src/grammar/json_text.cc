#include "grammar/json_text.h"

#include <cmath>

#include "base/written_number.h"
#include "grammar/code_points.h"
#include "grammar/minimize.h"

namespace caravel::grammar {
namespace {

constexpr int kMaxIndent = 16;

/// The letter of a character's short escape; 0: it has none.
char short_escape(uint8_t c) {
  switch (c) {
    case '"':
    case '\\':
      return static_cast<char>(c);
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

bool needs_escape(uint8_t c) { return c < 0x20 || c == '"' || c == '\\'; }

std::vector<CharRange> hex_digits() { return {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}; }

}  // namespace

ExprPtr json_space() {
  static const ExprPtr kSpace =
      optional(choice({bytes(" "), sequence({bytes("\n"), repeat(chars({{'\t', '\t'}, {' ', ' '}}), 0, kMaxIndent)})}));
  return kSpace;
}

ExprPtr json_comma() { return sequence({bytes(","), json_space()}); }

ExprPtr json_char() {
  static const ExprPtr kChar = [] {
    const ExprPtr hex = chars(hex_digits());
    const auto hexes = [&](std::vector<CharRange> first, std::vector<CharRange> second) {
      return sequence({bytes("\\u"), chars(std::move(first)), chars(std::move(second)), hex, hex});
    };
    const std::vector<CharRange> d = {{'D', 'D'}, {'d', 'd'}};
    return choice({
        chars({{0x20, 0x21}, {0x23, 0x5B}, {0x5D, kLastChar}}),
        sequence(
            {bytes("\\"),
             chars(
                 {{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}})}),
        hexes({{'0', '9'}, {'A', 'C'}, {'a', 'c'}, {'E', 'F'}, {'e', 'f'}}, hex_digits()),
        hexes(d, {{'0', '7'}}),
        sequence({hexes(d, {{'8', '9'}, {'A', 'B'}, {'a', 'b'}}), hexes(d, {{'C', 'F'}, {'c', 'f'}})}),
    });
  }();
  return kChar;
}

ExprPtr json_string(int min_length, int max_length) {
  return sequence({bytes("\""), repeat_countable(json_char(), min_length, max_length), bytes("\"")});
}

ExprPtr json_string(const Fsm& content) {
  Fsm spelled;
  spelled.deterministic = true;
  spelled.nodes.resize(content.nodes.size());
  const auto add_node = [&] {
    spelled.nodes.emplace_back();
    return static_cast<int32_t>(spelled.nodes.size() - 1);
  };
  const auto add_edge = [&](int32_t from, char c, int32_t to) {
    const auto byte = static_cast<uint8_t>(c);
    spelled.nodes[static_cast<size_t>(from)].edges.push_back({byte, byte, to});
  };
  for (size_t i = 0; i < content.nodes.size(); ++i) {
    spelled.nodes[i].accepting = content.nodes[i].accepting;
    const auto node = static_cast<int32_t>(i);
    int32_t escape = -1;                     // after the backslash
    std::array<int32_t, 2> high = {-1, -1};  // after \u000 and \u001
    int32_t zeros = -1;                      // after \u00
    for (const Fsm::Edge& edge : content.nodes[i].edges) {
      for (int byte = edge.first; byte <= edge.last; ++byte) {
        const auto c = static_cast<uint8_t>(byte);
        if (!needs_escape(c)) {
          add_edge(node, static_cast<char>(c), edge.target);
          continue;
        }
        if (escape < 0) {
          escape = add_node();
          add_edge(node, '\\', escape);
        }
        if (const char letter = short_escape(c); letter != 0) {
          add_edge(escape, letter, edge.target);
          continue;
        }
        if (zeros < 0) {
          const int32_t u = add_node();
          const int32_t zero = add_node();
          zeros = add_node();
          add_edge(escape, 'u', u);
          add_edge(u, '0', zero);
          add_edge(zero, '0', zeros);
        }
        int32_t& digit = high[c >> 4];
        if (digit < 0) {
          digit = add_node();
          add_edge(zeros, static_cast<char>('0' + (c >> 4)), digit);
        }
        add_edge(digit, "0123456789abcdef"[c & 15], edge.target);
      }
    }
  }
  for (Fsm::Node& node : spelled.nodes) std::ranges::sort(node.edges, {}, &Fsm::Edge::first);
  return sequence({bytes("\""), regular(std::make_shared<Fsm>(minimize(spelled))), bytes("\"")});
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (!needs_escape(byte)) {
      out += c;
    } else if (const char letter = short_escape(byte); letter != 0) {
      out += {'\\', letter};
    } else {
      out += {'\\', 'u', '0', '0', static_cast<char>('0' + (byte >> 4)), "0123456789abcdef"[byte & 15]};
    }
  }
  return out + "\"";
}

ExprPtr json_enclosed(const char* open, ExprPtr inner, const char* close) {
  return sequence({bytes(open), json_space(), std::move(inner), json_space(), bytes(close)});
}

ExprPtr json_constant(const Json& value) {
  if (value.is_string()) return bytes(json_quoted(value.get_ref<const std::string&>()));
  if (value.is_array() || value.is_object()) {
    std::vector<Expr::Member> members;
    for (const auto& [key, item] : value.items()) {
      ExprPtr constant = json_constant(item);
      if (value.is_object()) constant = sequence({bytes(json_quoted(key) + ":"), json_space(), std::move(constant)});
      members.push_back({std::move(constant), 1, 1});
    }
    ExprPtr inner = joined(std::move(members), json_comma());
    return value.is_array() ? json_enclosed("[", std::move(inner), "]") : json_enclosed("{", std::move(inner), "}");
  }
  if (is_written_number(value)) return bytes(written_text(value));
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (std::abs(number) <= kExact && number == std::floor(number)) {
      return bytes(std::to_string(static_cast<int64_t>(number)));
    }
  }
  return bytes(value.dump());
}

}  // namespace caravel::grammar
