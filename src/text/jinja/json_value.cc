#include "text/jinja/json_value.h"

#include <limits>

#include "base/error.h"
#include "base/written_number.h"

namespace caravel::text::jinja {
namespace {

Value convert(const nlohmann::ordered_json& json, int depth) {
  if (depth > kMaxValueHeight) throw fail<CapacityError>("JSON nests deeper than {} levels", kMaxValueHeight);
  switch (json.type()) {
    case nlohmann::ordered_json::value_t::boolean:
      return json.get<bool>();
    case nlohmann::ordered_json::value_t::number_integer:
      return json.get<int64_t>();
    case nlohmann::ordered_json::value_t::number_unsigned: {
      const auto number = json.get<uint64_t>();
      if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        return WideInteger{std::to_string(number)};
      }
      return static_cast<int64_t>(number);
    }
    case nlohmann::ordered_json::value_t::binary:
      // Of a decimal Python keeps the nearest double.
      if (!is_written_integer(json)) return nearest_double(json);
      return WideInteger{written_text(json)};
    case nlohmann::ordered_json::value_t::number_float:
      return json.get<double>();
    case nlohmann::ordered_json::value_t::string:
      return json.get_ref<const std::string&>();
    case nlohmann::ordered_json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const auto& item : json) items.push_back(convert(item, depth + 1));
      return Value::sequence(std::move(items));
    }
    case nlohmann::ordered_json::value_t::object: {
      auto dict = std::make_shared<Dict>();
      for (const auto& [key, item] : json.items()) dict->set_name(key, convert(item, depth + 1));
      return Value(std::shared_ptr<const Dict>(std::move(dict)));
    }
    default:
      return None{};
  }
}

}  // namespace

Value from_json(const nlohmann::ordered_json& json) { return convert(json, 1); }

}  // namespace caravel::text::jinja
