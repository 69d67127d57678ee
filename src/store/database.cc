#include "store/database.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "store/connection.h"

namespace caravel::store {
namespace {

using Shared = std::shared_ptr<const Connection>;

void execute(const Connection& connection, const std::string& sql, const char* tried) {
  connection.check(sqlite3_exec(connection.handle, sql.c_str(), nullptr, nullptr, nullptr), tried);
}

int64_t number_of(const Shared& connection, std::string_view sql) {
  Statement statement(connection, sql);
  Rows rows = statement.query();
  CARAVEL_CHECK(rows.next());
  return rows.integer(0);
}

/// False: nothing is in it yet. Inside a transaction, so that all it looks at is of one moment.
bool is_made(const Shared& connection, const Schema& schema) {
  const int64_t application = number_of(connection, "PRAGMA application_id");
  const int64_t version = number_of(connection, "PRAGMA user_version");
  if (application == 0 && version == 0 && number_of(connection, "SELECT count(*) FROM sqlite_master") == 0) {
    return false;
  }
  if (application != schema.application) {
    throw fail<FormatError>(
        "{}: is a database of something else (application id {:#x}, where {:#x} is wanted): name another file",
        connection->path, static_cast<uint32_t>(application), static_cast<uint32_t>(schema.application));
  }
  if (version != schema.version) {
    throw fail<FormatError>(
        "{}: is of version {}, and this Caravel reads and writes version {}: use the {} Caravel that made it, or name "
        "another file",
        connection->path, version, schema.version, version > schema.version ? "newer" : "older");
  }
  return true;
}

void make_tables(Database& database, const Shared& connection, const Schema& schema) {
  Transaction transaction(database);
  if (is_made(connection, schema)) return;  // by somebody else in the meantime
  execute(*connection, std::string(schema.create), "make the tables");
  execute(*connection,
          fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", schema.application, schema.version),
          "write");
  transaction.commit();
}

/// Readers and writers of a file that is not in this mode yet all stand in the way, and SQLite gives up at once where
/// waiting could be for ever: so it is tried again.
void use_log(const Connection& connection) {
  const auto start = Clock::now();
  const double patience = std::chrono::duration<double>(connection.patience).count();
  while (true) {
    std::string mode;
    const auto take = [](void* out, int, char** values, char**) {
      *static_cast<std::string*>(out) = values[0] == nullptr ? "" : values[0];
      return 0;
    };
    const int code = sqlite3_exec(connection.handle, "PRAGMA journal_mode = WAL", take, &mode, nullptr);
    if (code == SQLITE_OK && mode == "wal") return;
    if (code == SQLITE_OK) {
      throw fail<IoError>(
          "{}: its file system cannot hold a write-ahead log (journal mode '{}'): name a file on a disk "
          "of this machine",
          connection.path, mode);
    }
    if ((code & 0xFF) != SQLITE_BUSY || seconds_since(start) > patience) connection.fail(code, "open");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

/// Why SQLite could not open what it found or made: it asks a second time, for reading alone, and keeps that answer.
[[noreturn]] void cannot_open(const Connection& connection, int code) {
  std::filesystem::path folder = std::filesystem::path(connection.path).parent_path();
  if (folder.empty()) folder = ".";
  if (!is_there(connection.path) && ::access(folder.c_str(), W_OK) != 0) {
    throw fail<IoError>("{}: cannot make it in {}: {}", connection.path, folder.string(), std::strerror(errno));
  }
  connection.fail(code, "open");
}

/// Ends a transaction that only reads, whatever comes of it.
class ReadTransaction {
 public:
  explicit ReadTransaction(const Connection& connection) : handle_(connection.handle) {
    execute(connection, "BEGIN", "read");
  }
  ~ReadTransaction() { sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr); }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  sqlite3* handle_;
};

/// As SQLite's names of files are written, which have questions and escapes.
std::string address_of(const std::string& path) {
  std::string address = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      fmt::format_to(std::back_inserter(address), "%{:02X}", static_cast<unsigned>(c));
    } else {
      address += c;
    }
  }
  return address + "?immutable=1";
}

/// Neither the file nor a log beside it can be written.
bool is_read_only(const std::string& named) {
  const std::string folder = std::filesystem::path(named).parent_path().string();
  return is_there(named) && (::access(named.c_str(), W_OK) != 0 || ::access(folder.c_str(), W_OK) != 0);
}

/// Of a file that nobody writes to: without locks and log.
void open_as_it_stands(Connection& connection, const std::string& named) {
  std::error_code none;
  if (const auto bytes = std::filesystem::file_size(named + "-wal", none); !none && bytes > 0) {
    throw fail<IoError>(
        "{}: is being written, or was not closed; what stands in its log can only be read where it can be written: copy "
        "the folder",
        connection.path);
  }
  const int code = sqlite3_open_v2(address_of(named).c_str(), &connection.handle,
                                   SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) cannot_open(connection, code);
}

void open_for_writing(Connection& connection, const std::string& named) {
  const int code = sqlite3_open_v2(named.c_str(), &connection.handle,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) cannot_open(connection, code);
  // SQLite opens what it may not write for reading alone, and would say so at the first write.
  if (sqlite3_db_readonly(connection.handle, "main") == 1) {
    throw fail<IoError>("{}: cannot write: the file or its folder is read-only", connection.path);
  }
}

Shared connect(const std::string& path, std::chrono::milliseconds patience, Use use) {
  std::error_code unknown;
  const auto status = std::filesystem::status(path, unknown);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw fail<IoError>("{}: is no regular file", path);
  }
  auto connection = std::make_shared<Connection>();
  connection->path = path;
  connection->patience = patience;
  // Names such as ":memory:" and "" have a meaning of their own to SQLite, a path that has a folder has none.
  const std::string named = path.find('/') == std::string::npos ? "./" + path : path;
  if (use == Use::kReading && is_read_only(named)) {
    open_as_it_stands(*connection, named);
  } else {
    open_for_writing(*connection, named);
  }
  sqlite3_extended_result_codes(connection->handle, 1);
  sqlite3_busy_timeout(connection->handle, static_cast<int>(patience.count()));
  return connection;
}

}  // namespace

Database::Database(const std::string& path, const Schema& schema, std::chrono::milliseconds patience, Use use)
    : connection_(connect(path, patience, use)) {
  CARAVEL_CHECK(schema.application != 0 && schema.version > 0);
  const auto looked_at = [&] {
    const ReadTransaction reading(*connection_);
    return is_made(connection_, schema);
  };
  const bool has_tables = looked_at();
  if (sqlite3_db_readonly(connection_->handle, "main") == 1) {
    if (has_tables) return;
    throw fail<FormatError>("{}: is an empty database, and cannot be written", path);
  }
  if (!has_tables) make_tables(*this, connection_, schema);
  use_log(*connection_);
  // With the log, a commit need not wait for the disk to be safe from a killed process; see the class.
  execute(*connection_, "PRAGMA synchronous = NORMAL", "open");
}

const std::string& Database::path() const { return connection_->path; }

Statement Database::prepare(std::string_view sql) { return Statement(connection_, sql); }

Transaction::Transaction(Database& database) : connection_(database.connection_) {
  int has_moved = 0;
  if (sqlite3_file_control(connection_->handle, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) == SQLITE_OK &&
      has_moved != 0) {
    throw fail<IoError>("{}: was deleted or renamed while it was in use: run again", connection_->path);
  }
  execute(*connection_, "BEGIN IMMEDIATE", "write");
}

Transaction::~Transaction() {
  // After some errors SQLite has taken the transaction back itself.
  if (sqlite3_get_autocommit(connection_->handle) == 0) {
    sqlite3_exec(connection_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Transaction::commit() { execute(*connection_, "COMMIT", "write"); }

}  // namespace caravel::store
