#include "store/connection.h"

#include <cstring>

#include "base/error.h"

namespace caravel::store {

void Connection::fail(int code, const char* tried) const {
  const int kind = code & 0xFF;
  // The handle's own words belong to this error only where it is the handle's last one.
  const bool is_last = handle != nullptr && (sqlite3_errcode(handle) & 0xFF) == kind;
  const std::string words = is_last ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  const int system = is_last ? sqlite3_system_errno(handle) : 0;
  const std::string reason = system != 0 ? std::string(": ") + std::strerror(system) : "";
  switch (kind) {
    case SQLITE_NOTADB:
      throw caravel::fail<FormatError>("{}: is no database ({}): name another file, or move this one away", path,
                                       words);
    case SQLITE_CORRUPT:
      throw caravel::fail<FormatError>("{}: is damaged ({}): restore it, or move it away and begin anew", path, words);
    case SQLITE_ERROR:  // statements that do not fit the tables: somebody else made or changed these
      throw caravel::fail<FormatError>("{}: its tables are not Caravel's ({}): name another file", path, words);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw caravel::fail<IoError>(
          "{}: cannot {}: another process held it for {} s ({}): try again when that has ended", path, tried,
          static_cast<double>(patience.count()) / 1000, words);
    case SQLITE_FULL:
      throw caravel::fail<IoError>(
          "{}: cannot {}: no room is left ({}): make room and run again, what was written "
          "before is kept",
          path, tried, words);
    case SQLITE_READONLY:
    case SQLITE_PERM:
      throw caravel::fail<IoError>("{}: cannot {}: the file or its folder is read-only ({})", path, tried, words);
    case SQLITE_IOERR:
      throw caravel::fail<IoError>(
          "{}: cannot {}: {}{} (SQLite's code {}): see that its disk is there, has room and "
          "is within its quota, and run again",
          path, tried, words, reason, code);
    default:
      throw caravel::fail<IoError>("{}: cannot {}: {}{} (SQLite's code {})", path, tried, words, reason, code);
  }
}

}  // namespace caravel::store
