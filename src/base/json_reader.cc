#include "base/json_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/utf8.h"
#include "base/written_number.h"

namespace caravel {
namespace {

using Json = nlohmann::ordered_json;

/// Builds the document from the parser's events. The library's own builder looks for each new key among the object's
/// others, one by one, which a hostile body turns into hours.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(size_t max_depth) : max_depth_(max_depth) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& text) override { return add(as_written(value, text)); }
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
    throw FormatError(std::string(message.substr(begin == std::string_view::npos ? 0 : begin + 2)));
  }

  Json take() { return std::move(root_); }

 private:
  bool open(Json container) {
    if (open_.size() >= max_depth_) throw fail<FormatError>("it is nested deeper than {} levels", max_depth_);
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
    if (twice != keys.end()) throw fail<FormatError>("it has the key '{}' twice in one object", *twice);
  }

  const size_t max_depth_;
  std::vector<Json> open_;  // containers, outermost first
  Json root_;
};

}  // namespace

Json read_json(std::string_view text, size_t max_depth) {
  if (!is_valid_utf8(text)) throw FormatError("it is not UTF-8");
  Builder builder(max_depth);
  Json::sax_parse(text, &builder);
  return builder.take();
}

}  // namespace caravel
