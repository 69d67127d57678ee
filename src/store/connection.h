#pragma once

#include <sqlite3.h>

#include <chrono>
#include <string>

namespace caravel::store {

/// SQLite's handle, with what its errors are told by. Statements keep it open.
struct Connection {
  Connection() = default;
  ~Connection() { sqlite3_close_v2(handle); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// What `code` says: FormatError where the content is at fault, else IoError. `tried`: "read", "write".
  [[noreturn]] void fail(int code, const char* tried) const;
  void check(int code, const char* tried) const {
    if (code != SQLITE_OK) fail(code, tried);
  }

  sqlite3* handle = nullptr;
  std::string path;
  std::chrono::milliseconds patience{0};
};

}  // namespace caravel::store
