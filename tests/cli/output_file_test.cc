#include "cli/output_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "fixtures.h"

namespace caravel::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const IoError& error) {
    return error.what();
  }
  return "none";
}

/// A folder that is gone afterwards.
class OutputFileTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name)) << content;
    return path(name);
  }
  size_t files() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {})); }

  const fs::path folder_ = tests::temporary_path("output");
};

TEST_F(OutputFileTest, AFileIsCutWhereItIsGoneOnWith) {
  const std::string file = write("out", "one\ntwo\nhal");
  OutputFile output(file);
  EXPECT_TRUE(output.is_file());
  output.keep(8);
  output.write("three\n");
  EXPECT_EQ(read_file(file), "one\ntwo\nthree\n");
}

TEST_F(OutputFileTest, WhatIsMadeAndNotUsedIsGone) {
  { const OutputFile output(path("new")); }
  EXPECT_EQ(files(), 0U);
  { const OutputFile output(write("old", "")); }
  EXPECT_TRUE(fs::exists(path("old"))) << "somebody else made it";
  { OutputFile(path("new")).write("a\n"); }
  EXPECT_EQ(read_file(path("new")), "a\n");
}

TEST_F(OutputFileTest, AFileThatIsGoneIsNoticed) {
  {
    OutputFile output(path("out"));
    output.write("a\n");
    fs::remove(path("out"));
    EXPECT_THAT(refusal([&] { output.write("b\n"); }), HasSubstr("out: somebody has deleted it"));
  }
  OutputFile output(path("out"));
  output.write("a\n");
  fs::rename(path("out"), path("elsewhere"));
  write("out", "another\n");
  EXPECT_THAT(refusal([&] { output.check_in_place(); }), HasSubstr("out: somebody has renamed it"));
  EXPECT_EQ(read_file(path("elsewhere")), "a\n");
  EXPECT_EQ(read_file(path("out")), "another\n");
}

TEST_F(OutputFileTest, AFileThatIsCutIsNoticed) {
  OutputFile output(path("out"));
  output.write("one\ntwo\n");
  output.check_in_place();
  fs::resize_file(path("out"), 4);
  EXPECT_THAT(refusal([&] { output.write("three\n"); }), HasSubstr("out: somebody has cut it from 8 bytes to 4"));
  EXPECT_EQ(read_file(path("out")), "one\n");
}

TEST_F(OutputFileTest, ReplacingTouchesNoOtherFile) {
  const std::string file = write("out", "old");
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  write("out.new", "somebody's");
  check_replaceable(file);
  replace_file(file, "new");
  EXPECT_EQ(read_file(file), "new");
  EXPECT_EQ(read_file(path("out.new")), "somebody's");
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink(file, path("link"));
  replace_file(path("link"), "by its link");
  EXPECT_EQ(read_file(file), "by its link");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  replace_file(path("not there yet"), "new");
  EXPECT_EQ(read_file(path("not there yet")), "new");
  EXPECT_EQ(files(), 4U);
}

TEST_F(OutputFileTest, WhatIsSomebodyElsesIsKnownByItsBeginning) {
  EXPECT_FALSE(holds_own(path("new"), {"{"}, "figures"));
  EXPECT_FALSE(holds_own(write("empty", ""), {"{"}, "figures"));
  EXPECT_FALSE(holds_own("/dev/null", {"{"}, "figures"));
  EXPECT_FALSE(holds_own("-", {"{"}, "figures"));
  EXPECT_TRUE(holds_own(write("own", "[\n1"), {"{\n", "[\n"}, "figures"));
  EXPECT_TRUE(holds_own(write("cut off", "["), {"{\n", "[\n"}, "figures"));
  const std::string other = write("other", "[]");
  EXPECT_THROW(holds_own(other, {"{\n", "[\n"}, "figures"), InvalidArgument);
}

TEST_F(OutputFileTest, WhatCannotBeReplacedSaysSo) {
  check_replaceable(path("new"));
  EXPECT_EQ(files(), 0U);
  EXPECT_THAT(refusal([&] { check_replaceable(path("none/new")); }), HasSubstr("none/new: cannot write: No such file"));
  EXPECT_THAT(refusal([&] { check_replaceable(folder_.string()); }), HasSubstr("cannot write: it is a directory"));
  EXPECT_THAT(refusal([] { replace_file("/dev/full", "a"); }), HasSubstr("/dev/full: cannot write: No space left"));
  EXPECT_FALSE(OutputFile("/dev/full").is_file());
}

}  // namespace
}  // namespace caravel::cli
