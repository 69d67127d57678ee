#include "format/mapped_source.h"

#include <utility>

#include "base/check.h"
#include "caravel/request.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

class Source final : public WeightSource {
 public:
  explicit Source(MappedSource parts) : parts_(std::move(parts)) {}

  const std::string& path() const override { return parts_.path; }
  Convention convention() const override { return parts_.convention; }
  const nlohmann::json& config() const override { return parts_.config; }
  const WeightInfo* find(std::string_view name) const override { return parts_.weights.find(name); }
  std::span<const WeightInfo> weights() const override { return parts_.weights.weights(); }
  const TokenizerData& tokenizer() const override { return parts_.tokenizer; }
  const GenerationDefaults& generation_defaults() const override { return parts_.generation; }
  const SentenceModules& sentence_modules() const override { return parts_.sentence_modules; }
  MappedBytes map(const WeightInfo& weight, uint64_t offset, uint64_t bytes) const override {
    CARAVEL_CHECK(offset <= weight.bytes && bytes <= weight.bytes - offset);
    return weight.origin->map(weight.offset + offset, bytes);
  }

 private:
  MappedSource parts_;
};

}  // namespace

void MappedSource::add(std::shared_ptr<const File> file, std::vector<WeightInfo> of_file) {
  for (WeightInfo& weight : of_file) {
    weight.origin = file.get();
    weights.add(std::move(weight));
  }
  files.push_back(std::move(file));
}

std::unique_ptr<WeightSource> make_source(MappedSource source) { return std::make_unique<Source>(std::move(source)); }

}  // namespace caravel::format
