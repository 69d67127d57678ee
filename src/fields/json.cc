#include "fields/json.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/utf8.h"
#include "base/wide_integer.h"

namespace caravel {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw FormatError("We could not parse this JSON: " + why + "."); }

/// Builds the document from the parser's events. The library's own builder looks for each new key among the object's
/// others, one by one, which a hostile body turns into hours.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    const bool is_integer = text.find_first_not_of("-0123456789") == std::string::npos;
    return is_integer ? add(wide_integer(text)) : add(value);
  }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not in text
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool key(string_t& name) override {
    open_.back().get_ref<Json::object_t&>().emplace_back(std::move(name), nullptr);
    return true;
  }
  bool end_object() override {
    check_keys(open_.back().get_ref<const Json::object_t&>());
    return close();
  }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception& error) override {
    // After the exception's own name in brackets.
    const std::string_view message = error.what();
    const size_t begin = message.find("] ");
    refuse(std::string(message.substr(begin == std::string_view::npos ? 0 : begin + 2)));
  }

  Json take() { return std::move(root_); }

 private:
  bool open(Json container) {
    if (open_.size() >= kMaxJsonDepth) refuse("it is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    open_.push_back(std::move(container));
    return true;
  }
  bool close() {
    Json container = std::move(open_.back());
    open_.pop_back();
    return add(std::move(container));
  }
  bool add(Json value) {
    check_interrupt();
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Json& container = open_.back(); container.is_array()) {
      container.get_ref<Json::array_t&>().push_back(std::move(value));
    } else {
      container.get_ref<Json::object_t&>().back().second = std::move(value);
    }
    return true;
  }
  static void check_keys(const Json::object_t& object) {
    std::vector<std::string_view> keys;
    keys.reserve(object.size());
    for (const auto& entry : object) keys.emplace_back(entry.first);
    std::ranges::sort(keys);
    const auto twice = std::ranges::adjacent_find(keys);
    if (twice != keys.end()) refuse("it has the key '" + std::string(*twice) + "' twice in one object");
  }

  std::vector<Json> open_;  // containers, outermost first
  Json root_;
};

bool has_wide_integer(const Json& json) {
  if (!json.is_structured()) return is_wide_integer(json);
  return std::any_of(json.begin(), json.end(), has_wide_integer);
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// For documents with wide integers, which the library's own writer spells as lists of bytes.
void append_text(std::string& out, const Json& json) {
  if (is_wide_integer(json)) {
    out += wide_integer_digits(json);
  } else if (json.is_array()) {
    out += '[';
    bool first = true;
    for (const Json& item : json) {
      if (!std::exchange(first, false)) out += ',';
      append_text(out, item);
    }
    out += ']';
  } else if (json.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {
      if (!std::exchange(first, false)) out += ',';
      out += dump(key) + ":";
      append_text(out, value);
    }
    out += '}';
  } else {
    out += dump(json);
  }
}

}  // namespace

Json parse_json(std::string_view body) {
  if (!is_valid_utf8(body)) refuse("it is not UTF-8");
  Builder builder;
  Json::sax_parse(body, &builder);
  return builder.take();
}

std::string to_text(const Json& json) {
  if (!has_wide_integer(json)) return dump(json);
  std::string out;
  append_text(out, json);
  return out;
}

}  // namespace caravel
