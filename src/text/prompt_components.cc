#include "text/prompt_components.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <span>

#include "base/error.h"
#include "base/numbers.h"

namespace caravel::text {
namespace {

constexpr size_t kMaxBytes = 1 << 20;
constexpr size_t kMaxExpandedBytes = 16 << 20;
constexpr size_t kMaxExamples = 1000;
constexpr std::string_view kReasoningCue = "Let's think step by step.";

// The UTF-16 unit of a \uXXXX at `offset`, or -1.
int escaped_unit(std::string_view text, size_t offset) {
  if (offset + 6 > text.size() || text[offset] != '\\' || text[offset + 1] != 'u') return -1;
  const auto unit = parse_number<uint16_t>(text.substr(offset + 2, 4), 16);
  return unit ? *unit : -1;
}

// JSON is YAML, but for characters that it escapes as a pair of surrogates: they become YAML's \UXXXXXXXX.
std::string joined_surrogates(std::string_view json) {
  std::string out;
  for (size_t i = 0; i < json.size();) {
    const int high = escaped_unit(json, i);
    const int low = high >= 0xD800 && high < 0xDC00 ? escaped_unit(json, i + 6) : -1;
    if (low >= 0xDC00 && low < 0xE000) {
      out += fmt::format("\\U{:08x}", 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
      i += 12;
    } else {
      const size_t bytes = json[i] == '\\' && i + 1 < json.size() ? 2 : 1;
      out += json.substr(i, bytes);
      i += bytes;
    }
  }
  return out;
}

// As JSON writes them.
bool is_number_or_boolean(const std::string& text) {
  return text == "true" || text == "false" || parse_number<double>(text);
}

class Reader {
 public:
  Reader(std::string_view source, bool is_json) : source_(source), is_json_(is_json) {}

  PromptComponents read(const YAML::Node& root) {
    PromptComponents components;
    check_keys(root, "the prompt", {"instruction", "primary_content", "examples", "cue", "supporting_content"});
    components.instruction = text(root, "instruction", false);
    components.primary_content = text(root, "primary_content", true);
    components.cue = text(root, "cue", false);
    components.supporting_content = text(root, "supporting_content", false);
    const YAML::Node examples = root["examples"];
    if (!examples || examples.IsNull()) return components;
    if (!examples.IsSequence()) refuse(examples, "'examples' must be a list");
    if (examples.size() > kMaxExamples) {
      throw fail<CapacityError>("{}: {} examples, at most {} are read", source_, examples.size(), kMaxExamples);
    }
    for (const YAML::Node& example : examples) {
      check_keys(example, "an example", {"input", "output", "reasoning"});
      components.examples.push_back(
          {text(example, "input", true), text(example, "output", true), text(example, "reasoning", false)});
    }
    return components;
  }

 private:
  [[noreturn]] void refuse(const YAML::Node& node, const std::string& what) const {
    throw fail<FormatError>("{}, line {}: {}", source_, node.Mark().line + 1, what);
  }

  void check_keys(const YAML::Node& map, std::string_view what, std::initializer_list<std::string_view> known) const {
    if (!map.IsMap()) refuse(map, fmt::format("{} must be a mapping of names to texts", what));
    std::vector<std::string> seen;
    for (const auto& entry : map) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        refuse(entry.first, fmt::format("{} has no '{}': it has {}", what, key, fmt::join(known, ", ")));
      }
      if (std::find(seen.begin(), seen.end(), key) != seen.end())
        refuse(entry.first, fmt::format("'{}' is there twice", key));
      seen.push_back(key);
    }
  }

  std::string text(const YAML::Node& map, const char* key, bool required) {
    const YAML::Node node = map[key];
    if (!node || node.IsNull()) {
      if (required) refuse(map, fmt::format("'{}' is missing", key));
      return {};
    }
    // JSON writes texts in quotes; in YAML 2 is a text as good as any.
    const bool is_number = is_json_ && node.Tag() == "?" && is_number_or_boolean(node.Scalar());
    if (!node.IsScalar() || is_number) refuse(node, fmt::format("'{}' must be a text", key));
    expanded_ += node.Scalar().size();
    if (expanded_ > kMaxExpandedBytes) {
      throw fail<CapacityError>("{}: more than {} bytes of text once aliases are followed", source_, kMaxExpandedBytes);
    }
    return node.Scalar();
  }

  std::string_view source_;
  bool is_json_;
  size_t expanded_ = 0;
};

std::span<const PromptExample> chosen_examples(const PromptComponents& components, const PromptMode& mode) {
  const int count = static_cast<int>(components.examples.size());
  const int shots = mode.shots.value_or(count);
  if (shots < 0 || shots > count) {
    throw fail<InvalidArgument>("{} shots are asked for, the prompt has {} examples", shots, count);
  }
  for (int i = 0; mode.chain_of_thought && i < shots; ++i) {
    if (components.examples[static_cast<size_t>(i)].reasoning.empty()) {
      throw fail<InvalidArgument>("example {} has no reasoning: chain-of-thought prompting needs it in each", i + 1);
    }
  }
  return std::span(components.examples).first(static_cast<size_t>(shots));
}

std::string answer(const PromptExample& example, const PromptMode& mode) {
  return mode.chain_of_thought ? example.reasoning + "\n" + example.output : example.output;
}

std::string_view cue_of(const PromptComponents& components, const PromptMode& mode) {
  return components.cue.empty() && mode.chain_of_thought ? kReasoningCue : std::string_view(components.cue);
}

// Parts that are not empty, with blank lines between.
std::string paragraphs(const std::vector<std::string_view>& parts) {
  std::string out;
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    if (!out.empty()) out += "\n\n";
    out += part;
  }
  return out;
}

}  // namespace

PromptComponents parse_prompt_components(std::string_view text, std::string_view source) {
  if (text.size() > kMaxBytes)
    throw fail<CapacityError>("{}: {} bytes, at most {} are read", source, text.size(), kMaxBytes);
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string_view::npos && text[first] == '{';
  try {
    return Reader(source, is_json).read(YAML::Load(is_json ? joined_surrogates(text) : std::string(text)));
  } catch (const YAML::Exception& error) {
    throw fail<FormatError>("{}, line {}: {}", source, error.mark.line + 1, error.msg);
  }
}

std::string render_prompt(const PromptComponents& components, const PromptMode& mode) {
  const auto examples = chosen_examples(components, mode);
  const std::string_view cue = cue_of(components, mode);
  if (examples.empty()) {
    return paragraphs({components.instruction, components.supporting_content, components.primary_content, cue});
  }
  std::vector<std::string> turns;
  for (const PromptExample& example : examples) {
    turns.push_back("Input: " + example.input + "\nOutput: " + answer(example, mode));
  }
  turns.push_back("Input: " + components.primary_content + "\nOutput:");
  if (!cue.empty()) turns.back().append(" ").append(cue);
  std::vector<std::string_view> parts = {components.instruction};
  parts.insert(parts.end(), turns.begin(), turns.end() - 1);
  parts.push_back(components.supporting_content);
  parts.push_back(turns.back());
  return paragraphs(parts);
}

nlohmann::ordered_json render_prompt_messages(const PromptComponents& components, const PromptMode& mode) {
  nlohmann::ordered_json messages = nlohmann::ordered_json::array();
  const auto add = [&](const char* role, std::string content) {
    nlohmann::ordered_json message;
    message["role"] = role;
    message["content"] = std::move(content);
    messages.push_back(std::move(message));
  };
  if (!components.instruction.empty()) add("system", components.instruction);
  for (const PromptExample& example : chosen_examples(components, mode)) {
    add("user", example.input);
    add("assistant", answer(example, mode));
  }
  add("user", paragraphs({components.supporting_content, components.primary_content, cue_of(components, mode)}));
  return messages;
}

}  // namespace caravel::text
