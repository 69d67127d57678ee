#include "model/check_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "device/cpu/cpu_device.h"
#include "device/planned_device.h"
#include "fixtures.h"
#include "format/weight_source.h"

namespace caravel::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string refusal_of(const Device& device, const std::string& model) {
  try {
    check_device(device, read_config(*format::open_weights(tests::model_fixture(model))));
  } catch (const Unsupported& error) {
    return error.what();
  }
  return "";
}

TEST(CheckDevice, AGpuRefusesWhatItHasNoKernelsForAndSaysWhereItRuns) {
  const PlannedDevice gpu(int64_t{80} << 30);
  EXPECT_THAT(refusal_of(gpu, "deepseek_v2_lite"), AllOf(HasSubstr("latent attention"), HasSubstr("--device cpu")));
  for (const char* model : {"llama", "olmo2", "granite", "ministral3", "gpt2", "opt", "qwen3_moe", "gpt_oss"}) {
    EXPECT_THAT(refusal_of(gpu, model), IsEmpty()) << model;
  }
}

TEST(CheckDevice, ACpuRunsAll) {
  const CpuDevice cpu(1);
  for (const char* model : {"qwen3_moe", "gpt2", "llama", "deepseek_v3"}) {
    EXPECT_THAT(refusal_of(cpu, model), IsEmpty()) << model;
  }
}

}  // namespace
}  // namespace caravel::model
