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

std::string refusal_of(const Device& device, const ModelConfig& config) {
  try {
    check_device(device, config);
  } catch (const Unsupported& error) {
    return error.what();
  }
  return "";
}

ModelConfig config_of(const std::string& model) {
  return read_config(*format::open_weights(tests::model_fixture(model)));
}

TEST(CheckDevice, AGpuRefusesWhatItHasNoKernelsForAndSaysWhereItRuns) {
  const PlannedDevice gpu(int64_t{80} << 30);
  ModelConfig config = config_of("deepseek_v2_lite");
  config.latent.latent_dim = 500;
  config.latent.rotary_dim = 66;
  config.head_dim = 566;
  EXPECT_THAT(refusal_of(gpu, config), AllOf(HasSubstr("500"), HasSubstr("66"), HasSubstr("--device cpu")));
  for (const char* model :
       {"llama", "olmo2", "granite", "ministral3", "gpt2", "opt", "qwen3_moe", "gpt_oss", "deepseek_v3"}) {
    EXPECT_THAT(refusal_of(gpu, config_of(model)), IsEmpty()) << model;
  }
}

TEST(CheckDevice, ACpuRunsAll) {
  const CpuDevice cpu(1);
  for (const char* model : {"qwen3_moe", "gpt2", "llama", "deepseek_v3"}) {
    EXPECT_THAT(refusal_of(cpu, config_of(model)), IsEmpty()) << model;
  }
}

}  // namespace
}  // namespace caravel::model
