#include "format/mapped_source.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "caravel/request.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

// Gives the whole pages inside `bytes` back to the system; they are read again when touched.
void release_mapped_pages(std::span<const std::byte> bytes) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const size_t before = -reinterpret_cast<uintptr_t>(bytes.data()) % page;
  if (bytes.size() < before + page) return;
  const size_t length = (bytes.size() - before) / page * page;
  // Advice: where the system does not take it, nothing is lost but memory.
  ::madvise(const_cast<std::byte*>(bytes.data() + before), length, MADV_DONTNEED);
}

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
  void release_pages(const WeightInfo& weight) const override { release_mapped_pages(weight.data); }

 private:
  MappedSource parts_;
};

}  // namespace

void MappedSource::add(std::shared_ptr<const MappedFile> file, std::vector<WeightInfo> of_file) {
  files.push_back(std::move(file));
  for (WeightInfo& weight : of_file) weights.add(std::move(weight));
}

std::unique_ptr<WeightSource> make_source(MappedSource source) { return std::make_unique<Source>(std::move(source)); }

}  // namespace caravel::format
