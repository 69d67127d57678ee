#include "http/http.h"
#include "http/text.h"

namespace caravel::http {
namespace {

class ReadyWork final : public Work {
 public:
  explicit ReadyWork(Response response) : response_(std::move(response)) {}
  void advance(Writer& writer) override { writer.respond(std::move(response_)); }

 private:
  Response response_;
};

}  // namespace

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (equal_without_case(key, name)) return value;
  }
  return std::nullopt;
}

void Headers::set(std::string_view name, std::string value) {
  std::erase_if(fields_, [&](const auto& field) { return equal_without_case(field.first, name); });
  add(std::string(name), std::move(value));
}

std::unique_ptr<Work> ready(Response response) { return std::make_unique<ReadyWork>(std::move(response)); }

}  // namespace caravel::http
