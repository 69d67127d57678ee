#include "fields/json.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"

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
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
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

}  // namespace

Json parse_json(std::string_view body) {
  if (!is_valid_utf8(body)) refuse("it is not UTF-8");
  Builder builder;
  Json::sax_parse(body, &builder);
  return builder.take();
}

std::string to_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace caravel
