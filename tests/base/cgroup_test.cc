#include "base/cgroup.h"

#include <gtest/gtest.h>

#include "base/fixture_tree.h"

namespace caravel {
namespace {

std::vector<std::string> folders(const FixtureTree& tree, std::string_view controller) {
  std::vector<std::string> found;
  for (const Cgroup& group : cgroups_of(controller, tree.root())) {
    EXPECT_TRUE(group.folder.starts_with(tree.root()));
    found.push_back((group.version == Cgroup::Version::kV1 ? "1 " : "2 ") + group.folder.substr(tree.root().size()));
  }
  return found;
}

using Folders = std::vector<std::string>;

TEST(Cgroups, OfTheFirstVersionAreOneMountForEachController) {
  FixtureTree tree;
  tree.write("/proc/self/cgroup", "5:devices:/\n4:memory:/a/b\n2:cpu,cpuacct:/c:d\n0::/\n");
  tree.write("/proc/self/mountinfo",
             "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
             "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory\n"
             "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:8 master:9 - cgroup cgroup rw,cpu,cpuacct\n");
  EXPECT_EQ(folders(tree, "memory"),
            (Folders{"1 /sys/fs/cgroup/memory/a/b", "1 /sys/fs/cgroup/memory/a", "1 /sys/fs/cgroup/memory"}));
  EXPECT_EQ(folders(tree, "cpu"), (Folders{"1 /sys/fs/cgroup/cpu,cpuacct/c:d", "1 /sys/fs/cgroup/cpu,cpuacct"}));
  EXPECT_EQ(folders(tree, "pids"), Folders());
}

TEST(Cgroups, OfTheSecondVersionAreOneHierarchy) {
  FixtureTree tree;
  tree.write("/proc/self/cgroup", "0::/system.slice/a b.service\n");
  tree.write("/proc/self/mountinfo",
             "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  const Folders expected = {"2 /sys/fs/cgroup/system.slice/a b.service", "2 /sys/fs/cgroup/system.slice",
                            "2 /sys/fs/cgroup"};
  EXPECT_EQ(folders(tree, "memory"), expected);
  EXPECT_EQ(folders(tree, "cpu"), expected);
}

TEST(Cgroups, OfAContainerThatSeesItsOwnAlone) {
  FixtureTree tree;
  tree.write("/proc/self/cgroup", "4:memory:/docker/abc/inner\n0::/../../outside\n");
  tree.write("/proc/self/mountinfo",
             "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
             "36 31 0:33 / /mnt/with\\040blank ro - cgroup2 cgroup rw\n");
  EXPECT_EQ(folders(tree, "memory"),
            (Folders{"1 /sys/fs/cgroup/memory/inner", "1 /sys/fs/cgroup/memory", "2 /mnt/with blank"}));
  tree.write("/proc/self/cgroup", "4:memory:/elsewhere\n");
  EXPECT_EQ(folders(tree, "memory"), (Folders{"1 /sys/fs/cgroup/memory"}));
}

TEST(Cgroups, AreNoneWhereTheSystemTellsOfNone) {
  FixtureTree tree;
  EXPECT_EQ(folders(tree, "memory"), Folders());
  EXPECT_FALSE(cgroup_processors(tree.root()));
  tree.write("/proc/self/cgroup", "nonsense\n:\n0:\n");
  tree.write("/proc/self/mountinfo", "a b c\n- - - -\n1 2 3 / /x rw - cgroup2\n");
  EXPECT_EQ(folders(tree, "memory"), Folders());
}

TEST(Cgroups, ProcessorsAreTheLeastQuotaOfAllAround) {
  FixtureTree tree;
  tree.write("/proc/self/cgroup", "0::/pod/container\n");
  tree.write("/proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  EXPECT_FALSE(cgroup_processors(tree.root()));
  tree.write("/sys/fs/cgroup/pod/container/cpu.max", "max 100000\n");
  EXPECT_FALSE(cgroup_processors(tree.root()));
  tree.write("/sys/fs/cgroup/pod/cpu.max", "150000 100000\n");
  EXPECT_EQ(cgroup_processors(tree.root()), 2);
  tree.write("/sys/fs/cgroup/pod/container/cpu.max", "400000 100000\n");
  EXPECT_EQ(cgroup_processors(tree.root()), 2);
  tree.write("/sys/fs/cgroup/pod/container/cpu.max", "5000 100000\n");
  EXPECT_EQ(cgroup_processors(tree.root()), 1);
}

TEST(Cgroups, ProcessorsByTheFirstVersion) {
  FixtureTree tree;
  tree.write("/proc/self/cgroup", "2:cpu:/x\n");
  tree.write("/proc/self/mountinfo", "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
  tree.write("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
  tree.write("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(cgroup_processors(tree.root()));
  tree.write("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(cgroup_processors(tree.root()), 3);
}

}  // namespace
}  // namespace caravel
