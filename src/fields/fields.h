#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fields/json.h"
#include "fields/request_field.h"

namespace caravel {

/// What is wrong with one field of a JSON object that somebody sent. A server answers 400 with all three.
class FieldError : public InvalidArgument {
 public:
  FieldError(std::string where, std::string error_code, const std::string& message)
      : InvalidArgument(message), path(std::move(where)), code(std::move(error_code)) {}

  std::string path;  // "messages.0.content"; empty: the object as a whole
  std::string code;  // OpenAI's: invalid_type, invalid_value, unknown_parameter and the like
};

/// invalid_value.
FieldError bad_field(const std::string& path, const std::string& message);

// A value of a request as one type. `path` names it in errors: "messages.0.content". What is wrong is a
// FieldError.

bool as_boolean(const Json& value, const std::string& path);
int64_t as_integer(const Json& value, const std::string& path, int64_t low = std::numeric_limits<int64_t>::min(),
                   int64_t high = std::numeric_limits<int64_t>::max());
double as_number(const Json& value, const std::string& path, double low = std::numeric_limits<double>::lowest(),
                 double high = std::numeric_limits<double>::max());
double as_number(const Json& value, const std::string& path, const NumberRange& range);
const std::string& as_string(const Json& value, const std::string& path);
const Json& as_array(const Json& value, const std::string& path, size_t max_items = std::numeric_limits<size_t>::max());
const Json& as_object(const Json& value, const std::string& path);
std::vector<std::string> as_strings(const Json& value, const std::string& path);
/// 0 to INT32_MAX each.
std::vector<int32_t> as_token_ids(const Json& value, const std::string& path);
/// One of `names`.
const std::string& as_one_of(const Json& value, const std::string& path, std::initializer_list<std::string_view> names);

/// "a.b" or, where there is no outer path, "b".
std::string join_path(const std::string& path, std::string_view name);
inline std::string join_path(const std::string& path, size_t index) { return join_path(path, std::to_string(index)); }

FieldError wrong_type(const Json& value, const std::string& path, std::string_view expected);
FieldError missing_field(const std::string& path);
/// A field that is known and not served; `why` says what to do instead.
FieldError unsupported_field(const std::string& path, const std::string& why);

/// One object of a request, read field by field. A field that is null counts as absent, whatever its name. The object
/// must outlive it.
class Fields {
 public:
  /// Throws FieldError where `object` is none. path: of the object; empty for the whole body.
  explicit Fields(const Json& object, std::string path = "");
  /// A whole request. The table of fields says which it may have: asking for another one is a programmer's error.
  Fields(const Json& object, Surface surface);

  /// nullptr where it is absent.
  const Json* find(std::string_view name);
  /// Throws FieldError (missing_required_parameter) where it is absent.
  const Json& require(std::string_view name);

  bool boolean(std::string_view name, bool otherwise);
  /// A whole request's field, in the table's range.
  std::optional<int> integer(std::string_view name);
  std::optional<std::string> string(std::string_view name);

  /// The object that the field `name` of a whole request is. Of its fields the table says which are ignored and which
  /// refused, as "name.field". Throws FieldError where `value` is no object.
  Fields inner(const Json& value, std::string_view name) const;

  /// Whose table it goes by: of a whole request, or an object of it, alone.
  Surface surface() const;

  /// It was asked for.
  bool is_known(std::string_view name) const;
  /// Throws (unknown_parameter) where the object has a field that was not asked for and that the table does not call
  /// ignored; of one that it calls refused, unsupported_parameter and what to do instead. What is ignored, and not
  /// null, is said in the log, once a name, at debug.
  void refuse_unknown() const;
  /// For objects that clients keep notes of their own in, as messages: says in the same way which fields were not asked
  /// for, and takes them.
  void ignore_unknown() const;

  std::string path(std::string_view name) const { return join_path(path_, name); }

 private:
  /// The table's row; nullptr where there is none, and for an object that the table does not speak of.
  const RequestField* row(std::string_view name) const;

  const Json* object_;
  std::string path_;
  std::optional<Surface> surface_;  // of the request whose table it goes by
  std::string_view outer_;  // the whole request's field that the object is: a literal; empty: the request itself
  std::vector<std::string_view> known_;  // names asked for: literals
};

}  // namespace caravel
