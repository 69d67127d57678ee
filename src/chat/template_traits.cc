#include "chat/template_traits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"

namespace caravel::chat {
namespace {

using Traits = TemplateTraits;

/// One value that a user may give a trait, and what it means.
struct Choice {
  std::string_view trait;
  std::string_view value;
  std::string_view meaning;
  bool (*holds)(const Traits& traits);
  void (*set)(Traits& traits);
};

bool all_have(const Traits& traits, Traits::Content content) {
  return std::ranges::all_of(traits.content, [=](Traits::Content each) { return each == content; });
}

// A trait's values stand together; where none of them holds, describe() has words of its own.
constexpr Choice kChoices[] = {
    {"content", "text", "the template loses parts, so they are joined by line breaks",
     [](const Traits& t) { return all_have(t, Traits::Content::kText); },
     [](Traits& t) { t.content.fill(Traits::Content::kText); }},
    {"content", "parts", "the template walks the parts of every role's content",
     [](const Traits& t) { return all_have(t, Traits::Content::kParts); },
     [](Traits& t) { t.content.fill(Traits::Content::kParts); }},
    {"missing", "absent", "a content that is null beside calls is left out, as transformers does",
     [](const Traits& t) { return t.missing == Traits::Missing::kAbsent; },
     [](Traits& t) { t.missing = t.missing_alone = Traits::Missing::kAbsent; }},
    {"missing", "empty", "a content that is null beside calls is an empty text",
     [](const Traits& t) { return t.missing == Traits::Missing::kEmpty; },
     [](Traits& t) { t.missing = t.missing_alone = Traits::Missing::kEmpty; }},
    {"missing", "null", "the template tells a call by a content of null",
     [](const Traits& t) { return t.missing == Traits::Missing::kNull; },
     [](Traits& t) { t.missing = Traits::Missing::kNull, t.empty_hides_calls = true; }},
    {"arguments", "object", "the template takes a call's arguments apart, or writes them as JSON",
     [](const Traits& t) { return t.arguments == Traits::Arguments::kObject; },
     [](Traits& t) { t.arguments = Traits::Arguments::kObject; }},
    {"arguments", "text", "the template puts a call's arguments into its text as they are",
     [](const Traits& t) { return t.arguments == Traits::Arguments::kText; },
     [](Traits& t) { t.arguments = Traits::Arguments::kText; }},
    {"calls", "template", "the template writes earlier calls", [](const Traits& t) { return t.shows_calls; },
     [](Traits& t) { t.shows_calls = true; }},
    {"calls", "content", "the template writes no earlier calls, so they are written into the content",
     [](const Traits& t) { return !t.shows_calls; }, [](Traits& t) { t.shows_calls = false; }},
    {"results", "tool", "the template takes messages of role tool", [](const Traits& t) { return t.shows_results; },
     [](Traits& t) { t.shows_results = true; }},
    {"results", "user", "the template refuses or drops messages of role tool, so results become a user's turn",
     [](const Traits& t) { return !t.shows_results; }, [](Traits& t) { t.shows_results = false; }},
    {"system", "anywhere", "the template takes system messages wherever they stand",
     [](const Traits& t) { return t.system == Traits::System::kAnywhere; },
     [](Traits& t) { t.system = Traits::System::kAnywhere; }},
    {"system", "first", "the template takes one system message, at the start: all are joined there",
     [](const Traits& t) { return t.system == Traits::System::kFirst; },
     [](Traits& t) { t.system = Traits::System::kFirst; }},
    {"system", "user", "the template takes no system message: its text begins the first user's turn",
     [](const Traits& t) { return t.system == Traits::System::kInUser; },
     [](Traits& t) { t.system = Traits::System::kInUser; }},
    {"developer", "developer", "the template knows the role", [](const Traits& t) { return t.developer; },
     [](Traits& t) { t.developer = true; }},
    {"developer", "system", "the template does not know the role", [](const Traits& t) { return !t.developer; },
     [](Traits& t) { t.developer = false; }},
    {"function", "function", "the template knows the role", [](const Traits& t) { return t.function; },
     [](Traits& t) { t.function = true; }},
    {"function", "tool", "the template does not know the role", [](const Traits& t) { return !t.function; },
     [](Traits& t) { t.function = false; }},
    {"reasoning", "reasoning", "the template reads a message's `reasoning`",
     [](const Traits& t) { return t.reasoning == Traits::Reasoning::kField; },
     [](Traits& t) { t.reasoning = Traits::Reasoning::kField; }},
    {"reasoning", "part", "the template reads earlier reasoning as a part of the content, of the type thinking",
     [](const Traits& t) { return t.reasoning == Traits::Reasoning::kPart; },
     [](Traits& t) { t.reasoning = Traits::Reasoning::kPart; }},
    {"reasoning", "reasoning_content", "earlier reasoning is given as `reasoning_content` and `thinking`",
     [](const Traits& t) { return t.reasoning == Traits::Reasoning::kContentField; },
     [](Traits& t) { t.reasoning = Traits::Reasoning::kContentField; }},
    {"beside_calls", "both", "a content and reasoning may stand beside calls",
     [](const Traits& t) { return !t.joins_content_of_calls; }, [](Traits& t) { t.joins_content_of_calls = false; }},
    {"beside_calls", "joined", "the template fails on a content and reasoning beside calls, so they are joined",
     [](const Traits& t) { return t.joins_content_of_calls; }, [](Traits& t) { t.joins_content_of_calls = true; }},
    {"several_calls", "together", "a message may hold several calls", [](const Traits& t) { return !t.splits_calls; },
     [](Traits& t) { t.splits_calls = false; }},
    {"several_calls", "apart",
     "the template loses all but a message's first call, or fails, so each gets a message of its own",
     [](const Traits& t) { return t.splits_calls; }, [](Traits& t) { t.splits_calls = true; }},
    {"tools", "tools", "the template reads `tools`, or none",
     [](const Traits& t) { return t.tools == Traits::Tools::kVariable; },
     [](Traits& t) { t.tools = Traits::Tools::kVariable; }},
    {"tools", "xml_tools", "the template reads the tools from `xml_tools`",
     [](const Traits& t) { return t.tools == Traits::Tools::kXmlTools; },
     [](Traits& t) { t.tools = Traits::Tools::kXmlTools; }},
    {"tools", "system", "the template reads the tools from the system message's `tools`, a text",
     [](const Traits& t) { return t.tools == Traits::Tools::kInSystem; },
     [](Traits& t) { t.tools = Traits::Tools::kInSystem; }},
};

/// Where roles differ, or lose texts.
std::string mixed_content(const Traits& traits) {
  std::array<std::vector<std::string_view>, 3> roles;
  for (size_t i = 0; i < Traits::kRoles.size(); ++i) {
    roles[static_cast<size_t>(traits.content[i])].push_back(Traits::kRoles[i]);
  }
  std::string text;
  const auto add = [&](Traits::Content content, std::string_view what) {
    const auto& some = roles[static_cast<size_t>(content)];
    if (!some.empty()) text += fmt::format("{}{} ({})", text.empty() ? "" : "; ", what, fmt::join(some, ", "));
  };
  add(Traits::Content::kParts, "parts, which the template walks");
  add(Traits::Content::kOnlyParts, "parts, also for a text, which the template loses");
  add(Traits::Content::kText, "text, since the template loses parts");
  return text;
}

std::string known_choices() {
  std::string text;
  std::string_view last;
  for (const Choice& choice : kChoices) {
    if (choice.trait == last) {
      text += fmt::format("|{}", choice.value);
    } else {
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", choice.trait, choice.value);
    }
    last = choice.trait;
  }
  return text;
}

}  // namespace

TemplateTraits::Content TemplateTraits::content_of(std::string_view role) const {
  const auto place = std::ranges::find(kRoles, role);
  return place == kRoles.end() ? Content::kText : content[static_cast<size_t>(place - kRoles.begin())];
}

std::vector<std::pair<std::string, std::string>> TemplateTraits::describe() const {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Choice& choice : kChoices) {
    const bool is_new = lines.empty() || lines.back().first != choice.trait;
    if (is_new) lines.emplace_back(choice.trait, "");
    if (choice.holds(*this)) lines.back().second = fmt::format("{}: {}", choice.value, choice.meaning);
  }
  std::string& form = lines.front().second;
  if (form.empty()) form = mixed_content(*this);
  return lines;
}

void TemplateTraits::override_with(std::string_view text) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(','));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    const size_t sign = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(sign + 1, pair.size()));
    const auto choice = std::ranges::find_if(
        kChoices, [&](const Choice& each) { return each.trait == pair.substr(0, sign) && each.value == value; });
    if (choice == std::end(kChoices)) {
      throw fail<InvalidArgument>("'{}' is no trait of a chat template: give {}", pair, known_choices());
    }
    choice->set(*this);
  }
}

}  // namespace caravel::chat
