#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "store/statement.h"

namespace caravel::store {

/// What a file must be: told from others by its two numbers, which stand in its header.
struct Schema {
  int32_t application;      // whose file it is (SQLite's application_id); not 0
  int32_t version;          // of its tables (user_version), 1 and up
  std::string_view create;  // the SQL that makes the tables in an empty file
};

/// What a file is opened for. kReading: it may lie where nothing can be written.
enum class Use : uint8_t { kWriting, kReading };

/// One SQLite file, with a write-ahead log beside it (PATH-wal, PATH-shm): readers and the one who writes do not wait
/// for each other, and what was committed outlives a process that is killed at any moment (a machine that loses its
/// power may lose the last commits, never the file). Several processes may have it open; in a process each thread needs
/// a Database of its own, or a lock around all of its uses. Not on network file systems.
class Database {
 public:
  /// Makes the file where there is none, or an empty one. Where others hold it, waits `patience` in all, as each later
  /// use does. Throws FormatError where it is no database, of another application or of another version, which is left
  /// as it is; IoError where it cannot be written (a read-only file or folder, a full disk) or is locked for too long.
  /// kReading, where it cannot be written: it is read as it stands; IoError where a log with more lies beside it.
  Database(const std::string& path, const Schema& schema, std::chrono::milliseconds patience = std::chrono::seconds(30),
           Use use = Use::kWriting);

  const std::string& path() const;

  /// Throws FormatError where it does not fit the tables.
  Statement prepare(std::string_view sql);

 private:
  friend class Transaction;
  std::shared_ptr<const Connection> connection_;
};

/// Several writes that become one, on disk and for others. Whoever reads first and then writes what follows from it
/// needs one as well: it has the right to write from its beginning (BEGIN IMMEDIATE), where a plain read that goes on
/// to write is refused at once when somebody else wrote in between.
class Transaction {
 public:
  /// Waits for another's transaction to end. Throws IoError, also where somebody deleted or renamed the file, so that
  /// nobody would find what is written to it.
  explicit Transaction(Database& database);
  /// Takes back what was not committed.
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Once. Throws IoError; nothing was written then.
  void commit();

 private:
  std::shared_ptr<const Connection> connection_;
};

}  // namespace caravel::store
