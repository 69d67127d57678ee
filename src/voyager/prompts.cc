#include "voyager/prompts.h"

#include <algorithm>
#include <filesystem>
#include <span>

#include "base/check.h"
#include "base/error.h"
#include "base/file.h"
#include "voyager/prompt_files.h"
#include "voyager/written_file.h"

namespace caravel::voyager {
namespace {

constexpr std::string_view kExtension = ".yaml";

std::span<const std::string_view> names_of(Role role) {
  static constexpr std::string_view kPropose[] = {"observation", "completed", "failed", "notes", "rules", "wrong"};
  static constexpr std::string_view kQuestions[] = {"observation", "completed", "failed", "wrong"};
  static constexpr std::string_view kAnswer[] = {"question", "rules"};
  static constexpr std::string_view kDecompose[] = {"goal", "observation", "completed", "failed", "rules", "wrong"};
  static constexpr std::string_view kAction[] = {"language",    "fence", "rules",   "primitives",
                                                 "skills",      "code",  "error",   "chat",
                                                 "observation", "task",  "context", "critique"};
  static constexpr std::string_view kDescribe[] = {"language", "main", "task", "code"};
  static constexpr std::string_view kCritic[] = {"task", "context", "before", "after", "changes", "wrong"};
  switch (role) {
    case Role::kPropose:
      return kPropose;
    case Role::kQuestions:
      return kQuestions;
    case Role::kAnswer:
      return kAnswer;
    case Role::kDecompose:
      return kDecompose;
    case Role::kAction:
      return kAction;
    case Role::kDescribe:
      return kDescribe;
    case Role::kCritic:
      return kCritic;
  }
  return {};
}

bool is_name_letter(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

/// The length of {name} at the front of `text`; 0: there is none.
size_t name_length(std::string_view text) {
  if (text.empty() || text[0] != '{') return 0;
  size_t end = 1;
  while (end < text.size() && is_name_letter(text[end])) ++end;
  return end > 1 && end < text.size() && text[end] == '}' ? end + 1 : 0;
}

/// `text` with what `fill` gives for each {name}, and {name} for {{name}}.
template <typename Fill>
std::string filled(std::string_view text, const Fill& fill) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("{{")) {
      if (const size_t length = name_length(text.substr(1)); length > 0 && text.substr(1 + length).starts_with("}")) {
        out += text.substr(1, length);
        text.remove_prefix(length + 2);
        continue;
      }
    }
    if (const size_t length = name_length(text); length > 0) {
      out += fill(text.substr(1, length - 2));
      text.remove_prefix(length);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

template <typename Visit>
void each_part(text::PromptComponents& components, const Visit& visit) {
  visit(components.instruction);
  visit(components.supporting_content);
  for (text::PromptExample& example : components.examples) {
    visit(example.input);
    visit(example.output);
  }
  visit(components.primary_content);
  visit(components.cue);
}

size_t line_of(std::string_view text, std::string_view what) {
  const size_t at = text.find(what);
  return 1 + static_cast<size_t>(std::count(
                 text.begin(), text.begin() + static_cast<ptrdiff_t>(at == std::string_view::npos ? 0 : at), '\n'));
}

/// What a filling left empty leaves no line behind.
std::string without_empty_lines_at_ends(std::string text) {
  const size_t end = text.find_last_not_of(" \n");
  text.resize(end == std::string::npos ? 0 : end + 1);
  return text;
}

}  // namespace

Prompts::Prompts() {
  for (const EmbeddedFile& file : embedded_files()) {
    const auto role = role_named(file.name.substr(0, file.name.size() - kExtension.size()));
    CARAVEL_CHECK(role.has_value());
    take(*role, std::string(file.bytes), std::string(file.name));
  }
  CARAVEL_CHECK_EQ(files_.size(), size_t{kRoles});
}

Prompts::Prompts(const std::string& folder) : Prompts() {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (!entry.path().filename().string().starts_with(".")) paths.push_back(entry.path());
  }
  if (error) throw fail<NotFound>("{}: cannot read the folder of prompts: {}", folder, error.message());
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    const auto role = path.extension() == kExtension ? role_named(path.stem().string()) : std::nullopt;
    if (!role) {
      throw fail<InvalidArgument>(
          "{}: is no role's prompt: propose, questions, answer, decompose, action, describe and critic are, each with "
          ".yaml; move it elsewhere",
          path.string());
    }
    take(*role, read_file(path.string()), path.string());
  }
}

void Prompts::take(Role role, std::string text, const std::string& source) {
  text::PromptComponents components = text::parse_prompt_components(text, source);
  const std::span<const std::string_view> known = names_of(role);
  each_part(components, [&](std::string& part) {
    filled(part, [&](std::string_view name) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        throw fail<FormatError>(
            "{}, line {}: {{{}}} stands for nothing in the prompt of '{}': it knows {}; {{{{{}}}}} is the text", source,
            line_of(text, fmt::format("{{{}}}", name)), name, role_name(role), fmt::join(known, ", "), name);
      }
      return "";
    });
  });
  files_[role] = {std::move(text), std::move(components)};
}

Json Prompts::to_json() const {
  Json json = Json::object();
  for (const auto& [role, file] : files_) json[std::string(role_name(role))] = file.text;
  return json;
}

Prompts Prompts::from(const Json& json) {
  Prompts prompts;
  for (const auto& [name, text] : json.items()) {
    const auto role = role_named(name);
    if (!role || !text.is_string())
      throw fail<FormatError>("the record's prompt '{}' is of no role that is known", name);
    prompts.take(*role, text.get<std::string>(), "the record's prompt '" + name + "'");
  }
  return prompts;
}

std::vector<Message> Prompts::render(Role role, const Fillings& fillings) const {
  text::PromptComponents components = files_.at(role).components;
  each_part(components, [&](std::string& part) {
    part = without_empty_lines_at_ends(filled(part, [&](std::string_view name) {
      const auto found = fillings.find(name);
      CARAVEL_CHECK(found != fillings.end());
      return std::string_view(found->second);
    }));
  });
  std::vector<Message> messages;
  for (const auto& message : text::render_prompt_messages(components)) {
    messages.push_back({message.at("role").get<std::string>(), message.at("content").get<std::string>()});
  }
  return messages;
}

void Prompts::write_files(const std::string& folder) {
  make_folders(folder);
  for (const EmbeddedFile& file : embedded_files()) {
    const std::filesystem::path path = std::filesystem::path(folder) / file.name;
    if (is_there(path)) throw fail<InvalidArgument>("{}: is there already: name another folder", path.string());
  }
  for (const EmbeddedFile& file : embedded_files())
    write_file((std::filesystem::path(folder) / file.name).string(), file.bytes);
}

}  // namespace caravel::voyager
