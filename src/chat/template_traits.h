#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caravel::chat {

/// The form in which a chat template was written to be given what conversations hold (docs/chat-templates.md, "What
/// templates are given"). probe_template() finds it out; a user may say otherwise. The defaults are what a template
/// gets that no probe tells anything of.
struct TemplateTraits {
  /// What a content of several parts becomes: one text; itself; itself, and a text becomes one part.
  enum class Content : uint8_t { kText, kParts, kOnlyParts };
  enum class Missing : uint8_t { kAbsent, kEmpty, kNull };
  enum class Arguments : uint8_t { kObject, kText };
  enum class System : uint8_t { kAnywhere, kFirst, kInUser };
  enum class Tools : uint8_t { kVariable, kXmlTools, kInSystem };
  enum class Reasoning : uint8_t { kContentField, kField, kPart };

  static constexpr std::array<std::string_view, 4> kRoles = {"system", "user", "assistant", "tool"};

  std::array<Content, kRoles.size()> content = {};  // by the role: of kRoles
  /// A content that an assistant's message with calls lacks.
  Missing missing = Missing::kEmpty;
  bool empty_hides_calls = false;  // an empty text beside calls goes by `missing` too
  /// A content that an assistant's message without calls lacks: kAbsent or kEmpty.
  Missing missing_alone = Missing::kEmpty;
  Arguments arguments = Arguments::kObject;
  bool takes_text_arguments = true;  // arguments that are no object may stay the text that they are
  Tools tools = Tools::kVariable;    // where tools are given
  bool shows_tools = false;          // the names of the tools that it is given are in the prompt
  bool shows_calls = true;           // false: they are written into the content
  bool content_hides_calls = false;  // so they are where there is one
  bool shows_results = true;         // role tool; false: a result becomes a user's turn
  System system = System::kAnywhere;
  bool developer = false;  // false: it becomes system
  bool function = false;   // false: it becomes tool
  /// A message's reasoning: reasoning_content (and thinking), reasoning as well, or a part of the content.
  Reasoning reasoning = Reasoning::kContentField;
  /// Beside calls it takes a content or reasoning, and fails on both: the content goes to the reasoning's end.
  bool joins_content_of_calls = false;
  /// Of a message's calls it writes the first alone, or it fails: each gets a message, and its result behind that.
  bool splits_calls = false;

  /// A role that is none of kRoles has its content as a text.
  Content content_of(std::string_view role) const;

  /// (what, how it was decided), for people.
  std::vector<std::pair<std::string, std::string>> describe() const;

  /// Sets what a user says: "NAME=VALUE" pairs with commas between, by the names and first words of describe(). Throws
  /// InvalidArgument, with the names and values that there are.
  void override_with(std::string_view text);
};

}  // namespace caravel::chat
