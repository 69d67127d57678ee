#include "store/database.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <thread>

#include "base/error.h"
#include "base/file.h"

namespace caravel::store {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;

constexpr Schema kSchema = {.application = 0x43525631,
                            .version = 2,
                            .create =
                                "CREATE TABLE scores (key BLOB PRIMARY KEY, number INTEGER, gain REAL, text TEXT);"
                                "CREATE INDEX by_number ON scores (number)"};

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() {
    std::string name = testing::TempDir() + "caravel-store-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    path_ = folder_ + "/scores.db";
  }
  ~DatabaseTest() override { std::filesystem::remove_all(folder_); }

  /// What opening says; "" where it opens.
  std::string refusal(const Schema& schema = kSchema, milliseconds patience = milliseconds(200),
                      Use use = Use::kWriting) const {
    try {
      Database(path_, schema, patience, use);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  std::string folder_;
  std::string path_;
};

/// Runs `work` in a process of its own, which ends without the test program's clean-up: its exit status.
pid_t in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int status = 99;
  try {
    status = work();
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "child: %s\n", error.what()));
  }
  ::_exit(status);
}

int status_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

int64_t count_of(Database& database) {
  Statement statement = database.prepare("SELECT count(*) FROM scores");
  Rows rows = statement.query();
  rows.next();
  return rows.integer(0);
}

constexpr std::string_view kInsert = "INSERT INTO scores (key, number) VALUES (?, ?)";

TEST_F(DatabaseTest, KeepsEveryKindOfValue) {
  const std::array<std::byte, 3> key = {std::byte{0}, std::byte{255}, std::byte{7}};
  const std::string text = std::string("a\0b", 3) + "\xE2\x82\xAC";
  {
    Database database(path_, kSchema);
    Statement insert = database.prepare("INSERT INTO scores VALUES (?, ?, ?, ?)");
    insert.run({std::span(key), ~uint64_t{0}, 0.1, text});
    insert.run({std::span<const std::byte>(), std::numeric_limits<int64_t>::min(), nullptr, ""});
  }
  Database database(path_, kSchema);
  Statement select = database.prepare("SELECT * FROM scores WHERE number = ?");
  {
    Rows rows = select.query({-1});
    ASSERT_TRUE(rows.next());
    EXPECT_TRUE(std::ranges::equal(rows.bytes(0), key));
    EXPECT_EQ(static_cast<uint64_t>(rows.integer(1)), ~uint64_t{0});
    EXPECT_EQ(rows.real(2), 0.1);
    EXPECT_EQ(rows.text(3), text);
    EXPECT_FALSE(rows.next());
    EXPECT_FALSE(rows.next()) << "the end stays the end";
  }
  Rows rows = select.query({std::numeric_limits<int64_t>::min()});
  ASSERT_TRUE(rows.next());
  EXPECT_TRUE(rows.bytes(0).empty());
  EXPECT_FALSE(rows.is_null(0));
  EXPECT_TRUE(rows.is_null(2));
  EXPECT_EQ(rows.text(3), "");
  EXPECT_FALSE(rows.is_null(3));
}

TEST_F(DatabaseTest, AValueOfAnotherKindIsTold) {
  Database database(path_, kSchema);
  database.prepare(kInsert).run({"key", 1});
  Statement select = database.prepare("SELECT key, number FROM scores");
  Rows rows = select.query();
  ASSERT_TRUE(rows.next());
  EXPECT_THROW(rows.bytes(0), FormatError) << "a text";
  EXPECT_THROW(rows.text(1), FormatError) << "an integer";
}

TEST_F(DatabaseTest, AFailedStatementCanBeUsedAgain) {
  Database database(path_, kSchema);
  Statement insert = database.prepare(kInsert);
  insert.run({"a", 1});
  EXPECT_THROW(insert.run({"a", 2}), IoError);
  insert.run({"b", 2});
  EXPECT_EQ(count_of(database), 2);
  EXPECT_THROW(database.prepare("SELECT nothing FROM nowhere"), FormatError);
}

TEST_F(DatabaseTest, ADroppedQueryHoldsNoLock) {
  Database reader(path_, kSchema);
  for (int i = 0; i < 3; ++i) reader.prepare(kInsert).run({i, i});
  Statement select = reader.prepare("SELECT number FROM scores");
  {
    Rows rows = select.query();
    EXPECT_TRUE(rows.next());
  }
  Database writer(path_, kSchema);
  writer.prepare(kInsert).run({"new", 4});
  // The log can be taken over whole and emptied by somebody else: no reader stands in it.
  Statement checkpoint = writer.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  Rows rows = checkpoint.query();
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), 0) << "not hindered";
  EXPECT_EQ(count_of(reader), 4);
}

TEST_F(DatabaseTest, ATransactionIsTakenBackUnlessCommitted) {
  Database database(path_, kSchema);
  {
    Transaction transaction(database);
    database.prepare(kInsert).run({"a", 1});
  }
  EXPECT_EQ(count_of(database), 0);
  {
    Transaction transaction(database);
    database.prepare(kInsert).run({"a", 1});
    transaction.commit();
  }
  EXPECT_EQ(count_of(database), 1);
}

TEST_F(DatabaseTest, AFileThatIsSomethingElseIsRefusedAndLeftAsItIs) {
  const std::string page(5000, 'x');
  std::ofstream(path_) << page;
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path_), HasSubstr("is no database")));
  EXPECT_THROW(Database(path_, kSchema), FormatError);
  EXPECT_EQ(read_file(path_), page);

  std::filesystem::remove(path_);
  Schema other = kSchema;
  other.application = 77;
  EXPECT_EQ(refusal(other), "");
  const std::string content = read_file(path_);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("something else"), HasSubstr("0x4d"), HasSubstr("0x43525631")));
  EXPECT_EQ(read_file(path_), content);

  path_ = folder_;
  EXPECT_THAT(refusal(), HasSubstr("no regular file"));
  path_ = folder_ + "/none/scores.db";
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr(path_), HasSubstr("cannot make it in"), HasSubstr("No such file or directory")));
}

TEST_F(DatabaseTest, AnotherVersionIsRefusedWithBothNumbers) {
  EXPECT_EQ(refusal(), "");
  Schema newer = kSchema;
  newer.version = 3;
  EXPECT_THAT(refusal(newer), AllOf(HasSubstr("is of version 2,"), HasSubstr("version 3:"), HasSubstr("older")));
  Schema older = kSchema;
  older.version = 1;
  EXPECT_THAT(refusal(older), AllOf(HasSubstr("is of version 2,"), HasSubstr("version 1:"), HasSubstr("newer")));
  EXPECT_EQ(refusal(), "");
}

TEST_F(DatabaseTest, ADamagedFileIsTold) {
  {
    Database database(path_, kSchema);
    Transaction transaction(database);
    Statement insert = database.prepare(kInsert);
    for (int i = 0; i < 2000; ++i) insert.run({std::to_string(i), i});
    transaction.commit();
  }
  std::filesystem::resize_file(path_, 8192);
  try {
    Database database(path_, kSchema);
    Statement select = database.prepare("SELECT sum(length(key)) FROM scores");
    Rows rows = select.query();
    rows.next();
    FAIL() << "read what is not there";
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(path_), HasSubstr("damaged")));
  }
}

TEST_F(DatabaseTest, ALockedFileIsWaitedForAndThenTold) {
  Database holder(path_, kSchema);
  Database other(path_, kSchema, milliseconds(100));
  {
    const Transaction held(holder);
    EXPECT_EQ(count_of(other), 0) << "readers do not wait";
    const auto start = std::chrono::steady_clock::now();
    try {
      Transaction refused(other);
      FAIL() << "two at once";
    } catch (const IoError& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr(path_), HasSubstr("0.1 s"), HasSubstr("locked")));
    }
    EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(90));
  }
  other.prepare(kInsert).run({"a", 1});
}

TEST_F(DatabaseTest, WhatReadsAndThenWritesIsNotLostBetweenTwoProcesses) {
  {
    Database database(path_, kSchema);
    database.prepare(kInsert).run({"sum", 0});
  }
  constexpr int kRounds = 200;
  const auto add = [&] {
    Database database(path_, kSchema);
    Statement read = database.prepare("SELECT number FROM scores WHERE key = 'sum'");
    Statement write = database.prepare("UPDATE scores SET number = ? WHERE key = 'sum'");
    for (int i = 0; i < kRounds; ++i) {
      Transaction transaction(database);
      int64_t sum = 0;
      {
        Rows rows = read.query();
        rows.next();
        sum = rows.integer(0);
      }
      write.run({sum + 1});
      transaction.commit();
    }
    return 0;
  };
  const pid_t first = in_child(add);
  const pid_t second = in_child(add);
  EXPECT_EQ(status_of(first), 0);
  EXPECT_EQ(status_of(second), 0);
  Database database(path_, kSchema);
  Statement read = database.prepare("SELECT number FROM scores");
  Rows rows = read.query();
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), 2 * kRounds);
}

TEST_F(DatabaseTest, ManyMayMakeItTogether) {
  for (int round = 0; round < 10; ++round) {
    path_ = folder_ + "/" + std::to_string(round) + ".db";
    std::array<int, 2> gate = {};
    ASSERT_EQ(::pipe(gate.data()), 0);
    std::array<pid_t, 6> children = {};
    for (size_t i = 0; i < children.size(); ++i) {
      children[i] = in_child([&] {
        ::close(gate[1]);
        char byte;
        static_cast<void>(!::read(gate[0], &byte, 1));  // its end: all begin at once
        Database database(path_, kSchema);
        database.prepare(kInsert).run({static_cast<int64_t>(i), 1});
        return 0;
      });
    }
    ::close(gate[0]);
    ::close(gate[1]);
    for (const pid_t child : children) EXPECT_EQ(status_of(child), 0);
    Database database(path_, kSchema);
    EXPECT_EQ(count_of(database), static_cast<int64_t>(children.size()));
  }
}

TEST_F(DatabaseTest, AKilledWriterLosesNoCommittedRow) {
  int64_t told = 0;  // rows that the children said were committed
  for (int round = 0; round < 8; ++round) {
    std::array<int, 2> pipe = {};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = in_child([&] {
      Database database(path_, kSchema);
      Statement insert = database.prepare("INSERT INTO scores (key, number) VALUES (randomblob(16), ?)");
      for (int i = 0;; ++i) {
        Transaction transaction(database);
        insert.run({i});
        insert.run({i});
        transaction.commit();
        if (::write(pipe[1], "+", 1) != 1) return 1;
      }
    });
    ::close(pipe[1]);
    char byte;
    EXPECT_EQ(::read(pipe[0], &byte, 1), 1);
    ++told;
    ::usleep(static_cast<useconds_t>(3000 + 7919 * round));
    ::kill(child, SIGKILL);
    status_of(child);
    while (::read(pipe[0], &byte, 1) == 1) ++told;
    ::close(pipe[0]);
    Database database(path_, kSchema);
    const int64_t found = count_of(database);
    EXPECT_EQ(found % 2, 0) << "half a transaction";
    EXPECT_GE(found / 2, told);
    EXPECT_LE(found / 2, told + 1) << "the one that was committed and not told yet";
    told = found / 2;
  }
}

TEST_F(DatabaseTest, AKilledMakerLeavesWhatTheNextCanMakeAnew) {
  Schema large = kSchema;
  std::string create(kSchema.create);
  for (int i = 0; i < 400; ++i) create += "; CREATE TABLE t" + std::to_string(i) + " (a, b, c)";
  large.create = create;
  for (int round = 0; round < 10; ++round) {
    path_ = folder_ + "/killed" + std::to_string(round) + ".db";
    const pid_t child = in_child([&] {
      Database database(path_, large);
      return 0;
    });
    ::usleep(static_cast<useconds_t>(1500 * round));
    ::kill(child, SIGKILL);
    status_of(child);
    Database database(path_, large);
    EXPECT_EQ(count_of(database), 0);
    database.prepare("SELECT a FROM t399");
  }
}

TEST_F(DatabaseTest, AFullDatabaseIsToldAndKeepsWhatItHas) {
  Database database(path_, kSchema);
  database.prepare(kInsert).run({"a", 1});
  database.prepare("PRAGMA max_page_count = 8").run();
  Statement insert = database.prepare("INSERT INTO scores (key, number, text) VALUES (?, 1, ?)");
  try {
    Transaction transaction(database);
    for (int i = 0; i < 100; ++i) insert.run({i, std::string(1000, 'x')});
    FAIL() << "100 kB in eight pages";
  } catch (const IoError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(path_), HasSubstr("cannot write"), HasSubstr("no room is left")));
  }
  EXPECT_EQ(count_of(database), 1);
  database.prepare(kInsert).run({"b", 1});
}

TEST_F(DatabaseTest, AFileThatMayNotGrowIsToldAndKeepsWhatItHas) {
  const int status = status_of(in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    Database database(path_, kSchema);
    database.prepare(kInsert).run({"a", 1});
    const rlimit limit = {100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    Statement insert = database.prepare("INSERT INTO scores (key, number, text) VALUES (?, 1, ?)");
    for (int i = 0; i < 1000; ++i) {
      try {
        insert.run({i, std::string(1000, 'x')});
      } catch (const IoError& error) {
        const std::string_view message = error.what();
        return message.find(path_) != message.npos && message.find("cannot write: disk I/O error") != message.npos &&
                       count_of(database) == i + 1
                   ? 0
                   : 2;
      }
    }
    return 3;
  }));
  EXPECT_EQ(status, 0);
  Database database(path_, kSchema);
  EXPECT_GT(count_of(database), 1);
}

TEST_F(DatabaseTest, AFullDiskIsToldAndWhatItHasIsKept) {
  const int status = status_of(in_child([&] {
    // A disk of its own, which nobody else sees.
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=400k") != 0) {
      return 77;
    }
    Database database(path_, kSchema);
    Statement insert = database.prepare("INSERT INTO scores (key, number, text) VALUES (?, 1, ?)");
    for (int i = 0; i < 1000; ++i) {
      try {
        insert.run({i, std::string(1000, 'x')});
      } catch (const IoError& error) {
        const std::string_view message = error.what();
        const bool is_told = message.find(path_) != message.npos && message.find("no room is left") != message.npos;
        return is_told && i > 10 && count_of(database) == i ? 0 : 2;
      }
    }
    return 3;
  }));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "may not mount a small disk here";
  EXPECT_EQ(status, 0);
}

/// What opening says to a user whom permissions stop, which they do not stop root.
class ReadOnlyTest : public DatabaseTest {
 protected:
  std::string refusal_for_nobody(Use use = Use::kWriting) {
    std::array<int, 2> pipe = {};
    if (::pipe(pipe.data()) != 0) std::abort();
    const pid_t child = in_child([&] {
      if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0)) return 77;
      const std::string message = refusal(kSchema, milliseconds(200), use);
      return ::write(pipe[1], message.data(), message.size()) == static_cast<ssize_t>(message.size()) ? 0 : 1;
    });
    ::close(pipe[1]);
    std::string message;
    char byte;
    while (::read(pipe[0], &byte, 1) == 1) message += byte;
    ::close(pipe[0]);
    cannot_tell_ = WEXITSTATUS(status_of(child)) == 77;
    ::chmod(folder_.c_str(), 0755);
    return message;
  }
  bool cannot_tell_ = false;
};

TEST_F(ReadOnlyTest, AFile) {
  EXPECT_EQ(refusal(), "");
  ::chmod(path_.c_str(), 0444);
  ::chmod(folder_.c_str(), 0777);
  const std::string message = refusal_for_nobody();
  if (cannot_tell_) GTEST_SKIP() << "root that may not become somebody else";
  EXPECT_THAT(message, AllOf(HasSubstr(path_), HasSubstr("read-only")));
}

TEST_F(ReadOnlyTest, AFolder) {
  ::chmod(folder_.c_str(), 0555);
  const std::string message = refusal_for_nobody();
  if (cannot_tell_) GTEST_SKIP() << "root that may not become somebody else";
  EXPECT_THAT(message, AllOf(HasSubstr(path_), HasSubstr("cannot make it in"), HasSubstr("Permission denied")));
}

TEST_F(ReadOnlyTest, AFolderWhoseFileMayBeWritten) {
  EXPECT_EQ(refusal(), "");
  ::chmod(path_.c_str(), 0666);
  ::chmod(folder_.c_str(), 0555);
  const std::string message = refusal_for_nobody();
  if (cannot_tell_) GTEST_SKIP() << "root that may not become somebody else";
  EXPECT_THAT(message, AllOf(HasSubstr(path_), HasSubstr("cannot")));
}

TEST_F(ReadOnlyTest, IsReadAllTheSame) {
  path_ = folder_ + "/a%20b?c#d.db";
  EXPECT_EQ(refusal(), "");
  ::chmod(path_.c_str(), 0444);
  ::chmod(folder_.c_str(), 0555);
  EXPECT_EQ(refusal_for_nobody(Use::kReading), "");
  if (cannot_tell_) GTEST_SKIP() << "root that may not become somebody else";
  // What another process has not taken into the file yet.
  std::ofstream(path_ + "-wal") << "x";
  ::chmod(folder_.c_str(), 0555);
  EXPECT_THAT(refusal_for_nobody(Use::kReading), HasSubstr("was not closed"));
}

TEST_F(DatabaseTest, AFileThatWasDeletedUnderItIsTold) {
  Database database(path_, kSchema);
  std::filesystem::rename(path_, path_ + ".old");
  EXPECT_THROW(Transaction{database}, IoError);
}

}  // namespace
}  // namespace caravel::store
