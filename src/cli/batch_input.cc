#include "cli/batch_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/byte_order_mark.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/written_number.h"
#include "cli/given_fields.h"
#include "cli/request_row.h"
#include "fields/fields.h"

namespace caravel::cli {
namespace {

constexpr std::string_view kWhite = " \t\r\n";

/// What is wrong with a file's lines, told all at once.
class Problems {
 public:
  explicit Problems(const std::string& path) : path_(path) {}

  void add(std::string_view problem) {
    if (++count_ <= kMost) text_ += fmt::format("{}{}", text_.empty() ? "" : "\n", problem);
  }
  void add(int64_t line, std::string_view what) { add(fmt::format("{}:{}: {}", path_, line, what)); }

  /// Throws InvalidArgument where there is one.
  void raise() const {
    if (count_ == 0) return;
    if (count_ == 1) throw InvalidArgument(text_);
    const std::string more = count_ > kMost ? fmt::format("\nand {} more", count_ - kMost) : "";
    throw fail<InvalidArgument>("{}: {} lines cannot be used, and nothing was run\n{}{}", path_, count_, text_, more);
  }

 private:
  static constexpr size_t kMost = 100;

  const std::string& path_;
  std::string text_;
  size_t count_ = 0;
};

/// Which form an object has that may be either.
BatchForm form_of(const Json& row) {
  const bool is_openai = row.contains("body") || (row.contains("custom_id") && row.contains("url"));
  return is_openai ? BatchForm::kOpenAi : BatchForm::kRows;
}

/// Sets id, key and named. Throws FieldError.
void identify(BatchRow& row, BatchForm form) {
  const char* const name = form == BatchForm::kOpenAi ? "custom_id" : "id";
  const auto id = row.request.find(name);
  row.named = id != row.request.end() && !id->is_null();
  if (!row.named && form == BatchForm::kOpenAi) throw missing_field(name);
  row.id = row.named ? *id : Json(fmt::format("line-{}", row.line));
  if (!row.id.is_string() && !row.id.is_number_integer() && !is_written_integer(row.id)) {
    throw wrong_type(row.id, name, "a string or an integer");
  }
  row.key = id_key(row.id);
}

/// The fields that an answer may depend on, in the order of their names.
std::string what_counts(const Json& object) {
  std::map<std::string_view, const Json*> fields;
  for (const auto& [name, value] : object.get_ref<const Json::object_t&>()) {
    const RequestField* const field = find_field(name, Surface::kRows);
    const bool is_ignored = field != nullptr && field->use == FieldUse::kIgnored;
    if (!value.is_null() && !is_ignored && name != "id") fields.emplace(name, &value);
  }
  std::string text;
  for (const auto& [name, value] : fields) text += fmt::format("{}:{}\n", to_text(name), to_text(*value));
  return text;
}

}  // namespace

std::string id_key(const Json& id) { return id.is_string() ? id.get<std::string>() : to_text(id); }

BatchInput read_batch(const std::string& input_path, std::optional<BatchForm> form_of_all) {
  const std::string content = read_input(input_path);
  const std::string path = input_path == "-" ? "standard input" : input_path;
  std::string_view left = without_byte_order_mark(content);
  if (const size_t begin = left.find_first_not_of(kWhite); begin != std::string_view::npos && left[begin] == '[') {
    throw fail<InvalidArgument>("{}: it begins with a list; rows are objects, one a line: jq -c '.[]' makes them of it",
                                path);
  }
  BatchInput input;
  Problems problems(path);
  std::unordered_map<std::string, int64_t> lines;  // of ids
  bool is_mixed = false;
  for (int64_t line = 1; !left.empty(); ++line) {
    const size_t end = std::min(left.find('\n'), left.size());
    const std::string_view text = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (text.find_first_not_of(kWhite) == std::string_view::npos) continue;
    BatchRow row{.line = line};
    try {
      row.request = parse_line(std::string(text), path, line);
    } catch (const InvalidArgument& error) {
      problems.add(error.what());
      continue;
    }
    const BatchForm form = form_of_all ? *form_of_all : form_of(row.request);
    if (input.rows.empty()) input.form = form;
    if (form != input.form) {
      if (!std::exchange(is_mixed, true)) {
        constexpr std::string_view kForm = "of OpenAI's batch form (custom_id, method, url, body)";
        const int64_t first = input.rows.front().line;
        problems.add(line, form == BatchForm::kOpenAi
                               ? fmt::format("it is {}, and line {} is not; a file has one form", kForm, first)
                               : fmt::format("it is not {}, as line {} is; a file has one form", kForm, first));
      }
      continue;
    }
    try {
      identify(row, form);
    } catch (const FieldError& error) {
      problems.add(line, error.what());
      continue;
    }
    const auto [earlier, is_new] = lines.emplace(row.key, line);
    if (!is_new) {
      problems.add(line, fmt::format("the id '{}' stands on line {} too; ids must differ", row.key, earlier->second));
    }
    input.rows.push_back(std::move(row));
  }
  problems.raise();
  if (input.rows.empty()) throw fail<InvalidArgument>("{}: there is no row in it, and nothing was run", path);
  return input;
}

std::string row_digest(const BatchRow& row, BatchForm form, const SamplingParams& given, std::string_view model) {
  std::string text = fmt::format("{} {}\n", row.named ? "named" : "unnamed", row.named ? row.key : "");
  Json request = row.request;
  if (form == BatchForm::kOpenAi) {
    for (const char* const name : {"method", "url"}) text += to_text(row.request.value(name, Json())) + "\n";
    request = row.request.value("body", Json());
  }
  if (request.is_object()) {
    add_given_fields(request, given, Surface::kRows);
    text += what_counts(request);
  } else {
    text += to_text(request);
  }
  const Hash128 hash = hash128(text.data(), text.size(), hash128(model.data(), model.size()));
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

}  // namespace caravel::cli
