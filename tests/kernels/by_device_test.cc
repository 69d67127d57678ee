#include "kernels/by_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kernels/pool_rows.h"

namespace caravel::kernels {
namespace {

/// A GPU, which encoders have no ops for.
class OtherDevice final : public Device {
 public:
  DeviceKind kind() const override { return DeviceKind::kCuda; }
  std::string name() const override { return "GPU 0"; }
  Buffer allocate(size_t) override { return {}; }
  HostBuffer allocate_host(size_t) override { return {}; }
  void release(void*, size_t) override {}
  void release_host(void*, size_t) override {}
  size_t memory_available() const override { return 0; }
  std::unique_ptr<Stream> make_stream() override { return nullptr; }
  std::unique_ptr<Event> make_event() override { return nullptr; }
};

class OtherStream final : public Stream {
 public:
  Device& device() const override { return device_; }
  void synchronize() override {}
  void copy(void*, const void*, size_t) override {}
  void record(Event&) override {}
  void wait(const Event&) override {}
  void begin_capture() override {}
  std::unique_ptr<CommandList> end_capture() override { return nullptr; }
  void run(const CommandList&) override {}

 private:
  mutable OtherDevice device_;
};

TEST(ByDevice, AnOpThatADeviceLacksIsRefusedByName) {
  OtherStream stream;
  try {
    pool_rows(stream, {});
    FAIL();
  } catch (const Unsupported& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("GPU 0"), testing::HasSubstr("pool_rows")));
  }
}

}  // namespace
}  // namespace caravel::kernels
