#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "fixtures.h"

namespace caravel {
namespace {

class FileTest : public testing::Test {
 protected:
  ~FileTest() override { std::filesystem::remove(path_); }

  std::shared_ptr<const File> open(size_t size) {
    std::ofstream out(path_, std::ios::binary);
    for (size_t i = 0; i < size; ++i) out.put(static_cast<char>(i % 251));
    out.close();
    return File::open(path_);
  }

  const std::string path_ = tests::temporary_path("file");
};

TEST_F(FileTest, PartsAreMappedFromAnyPlace) {
  const auto file = open(20'000);
  EXPECT_EQ(file->size(), 20'000U);
  for (const uint64_t offset : {0, 1, 4095, 4096, 4097, 12'345, 19'999}) {
    for (const uint64_t length : {1, 100, 4096, 7655}) {
      if (offset + length > file->size()) continue;
      const MappedBytes part = file->map(offset, length);
      ASSERT_EQ(part.bytes().size(), length);
      EXPECT_EQ(part.bytes().front(), static_cast<std::byte>(offset % 251));
      EXPECT_EQ(part.bytes().back(), static_cast<std::byte>((offset + length - 1) % 251));
    }
  }
  EXPECT_TRUE(file->map(20'000, 0).bytes().empty());
}

TEST_F(FileTest, APartOutlivesItsFileAndMoves) {
  MappedBytes part = open(100)->map(7, 3);
  MappedBytes moved = std::move(part);
  part = MappedBytes();
  EXPECT_EQ(moved.bytes()[0], std::byte{7});
  moved = MappedBytes(std::as_bytes(std::span("x", 1)));
  EXPECT_EQ(moved.bytes()[0], std::byte{'x'}) << "kept by somebody else";
}

TEST_F(FileTest, NoMoreIsReadThanIsWanted) {
  open(100);
  EXPECT_EQ(read_file(path_, 100).size(), 100U);
  EXPECT_THROW(read_file(path_, 99), IoError);
  EXPECT_EQ(read_file("/proc/self/stat", 4096).empty(), false) << "its size is 0 beforehand";
  try {
    read_file("/dev/zero", 1 << 20);
    FAIL() << "it has no end";
  } catch (const IoError& error) {
    EXPECT_STREQ("/dev/zero: has more than 1 MiB, the most that is read of what is no regular file; put it into one",
                 error.what());
  }
}

TEST_F(FileTest, ANamedPipeIsReadOfWhomeverWrites) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const auto write = [this](const std::vector<std::string>& parts) {
    return std::thread([this, parts] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the reader is there first
      std::ofstream out(path_);
      for (const std::string& part : parts) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        out << part << std::flush;
      }
    });
  };
  for (const std::vector<std::string>& parts : {std::vector<std::string>{"one ", "two"}, {}}) {
    std::thread writer = write(parts);
    EXPECT_EQ(read_file(path_), parts.empty() ? "" : "one two");
    writer.join();
  }
  try {
    read_file(path_);
    FAIL() << "nobody writes";
  } catch (const IoError& error) {
    EXPECT_EQ(path_ + ": is a pipe that nobody has opened for writing within 5 s; start who writes first",
              error.what());
  }
}

TEST_F(FileTest, WhatIsNoFileIsRefused) {
  EXPECT_THROW(File::open(path_), NotFound);
  EXPECT_THROW(File::open(testing::TempDir()), IoError);
  EXPECT_THROW(open(0), IoError) << "empty";
}

}  // namespace
}  // namespace caravel
