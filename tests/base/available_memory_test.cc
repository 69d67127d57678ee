#include "base/available_memory.h"

#include <gmock/gmock.h>

#include "base/fixture_tree.h"

namespace caravel {
namespace {

using testing::HasSubstr;

constexpr int64_t kMebibyte = 1 << 20;

class AvailableMemoryTest : public testing::Test {
 protected:
  AvailableMemoryTest() {
    tree_.write("/proc/meminfo", "MemTotal:       24684000 kB\nMemFree:  1 kB\nMemAvailable:   2048000 kB\n");
    tree_.write("/proc/self/limits",
                "Limit                     Soft Limit           Hard Limit           Units     \n"
                "Max data size             unlimited            unlimited            bytes     \n"
                "Max address space         unlimited            unlimited            bytes     \n");
    tree_.write("/proc/self/statm", "25600 10000 3000 2000 0 12800 0\n");
  }
  int64_t mebibytes() const { return available_memory(tree_.root()).bytes / kMebibyte; }
  std::string bound() const { return available_memory(tree_.root()).bound_by; }

  FixtureTree tree_;
};

TEST_F(AvailableMemoryTest, IsTheSystemsWhereNothingElseBounds) {
  EXPECT_EQ(mebibytes(), 2000);
  EXPECT_EQ(bound(), "the system");
}

TEST_F(AvailableMemoryTest, IsWhatAGroupOfTheSecondVersionLeaves) {
  tree_.write("/proc/self/cgroup", "0::/pod/container\n");
  tree_.write("/proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  const auto set = [&](const std::string& group, const std::string& file, const std::string& content) {
    tree_.write("/sys/fs/cgroup" + group + "/" + file, content + "\n");
  };
  set("/pod/container", "memory.max", "max");
  set("/pod/container", "memory.current", "1000000");
  EXPECT_EQ(mebibytes(), 2000);

  set("/pod/container", "memory.max", std::to_string(600 * kMebibyte));
  set("/pod/container", "memory.current", std::to_string(250 * kMebibyte));
  EXPECT_EQ(mebibytes(), 350);
  set("/pod/container", "memory.stat",
      "anon 7\ninactive_anon 9\ninactive_file " + std::to_string(200 * kMebibyte) + "\nactive_file 5");
  EXPECT_EQ(mebibytes(), 550) << "cached files are given back";
  EXPECT_THAT(bound(), HasSubstr("/sys/fs/cgroup/pod/container: limit 600 MiB, 50 MiB in use"));

  // The pod's other containers count.
  set("/pod", "memory.max", std::to_string(1000 * kMebibyte));
  set("/pod", "memory.current", std::to_string(900 * kMebibyte));
  EXPECT_EQ(mebibytes(), 100);
  EXPECT_THAT(bound(), HasSubstr("/sys/fs/cgroup/pod: limit 1000 MiB"));

  set("/pod/container", "memory.high", std::to_string(110 * kMebibyte));
  EXPECT_EQ(mebibytes(), 60);
  set("/pod", "memory.current", std::to_string(1100 * kMebibyte));
  EXPECT_EQ(mebibytes(), 0);
}

TEST_F(AvailableMemoryTest, IsWhatAGroupOfTheFirstVersionLeaves) {
  tree_.write("/proc/self/cgroup", "4:memory:/a/b\n0::/\n");
  tree_.write("/proc/self/mountinfo", "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  const std::string folder = "/sys/fs/cgroup/memory";
  for (const char* const group : {"", "/a", "/a/b"}) {
    tree_.write(folder + group + "/memory.limit_in_bytes", "9223372036854771712\n");
    tree_.write(folder + group + "/memory.usage_in_bytes", "5000000000\n");
  }
  EXPECT_EQ(mebibytes(), 2000);
  tree_.write(folder + "/a/memory.limit_in_bytes", std::to_string(450 * kMebibyte));
  tree_.write(folder + "/a/memory.usage_in_bytes", std::to_string(150 * kMebibyte));
  tree_.write(folder + "/a/memory.stat",
              "cache 1\ninactive_file 1\ntotal_inactive_file " + std::to_string(100 * kMebibyte) + "\n");
  EXPECT_EQ(mebibytes(), 400);
  EXPECT_THAT(bound(), HasSubstr("control group"));
  tree_.write(folder + "/a/memory.stat", "total_inactive_file " + std::to_string(1000 * kMebibyte) + "\n");
  EXPECT_EQ(mebibytes(), 450) << "no more than was counted is given back";
}

TEST_F(AvailableMemoryTest, IsWhatUlimitLeaves) {
  tree_.write("/proc/self/limits",
              "Max data size             unlimited            unlimited            bytes     \n"
              "Max address space         1048576000           unlimited            bytes     \n");
  EXPECT_EQ(mebibytes(), 708) << "25,600 pages are taken";
  EXPECT_EQ(bound(), "ulimit -v: 1000 MiB, 100 MiB in use, 192 MiB for threads");
  tree_.write("/proc/self/limits",
              "Max data size             524288000            unlimited            bytes     \n"
              "Max address space         1048576000           unlimited            bytes     \n");
  EXPECT_EQ(mebibytes(), 450) << "12,800 pages are data";
  EXPECT_EQ(bound(), "ulimit -d: 500 MiB, 50 MiB in use");
}

TEST(AvailableMemory, OfThisMachineIsSomething) {
  EXPECT_GT(available_memory().bytes, 0);
  EXPECT_FALSE(available_memory().bound_by.empty());
}

TEST(MemoryText, IsForPeople) {
  EXPECT_EQ(memory_text(300 << 10), "300 KiB");
  EXPECT_EQ(memory_text(3 << 20), "3.0 MiB");
  EXPECT_EQ(memory_text(450 * kMebibyte), "450 MiB");
  EXPECT_EQ(memory_text(1536 * kMebibyte), "1.5 GiB");
}

}  // namespace
}  // namespace caravel
