#include "store/statement.h"

#include <sqlite3.h>

#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/overloaded.h"
#include "store/connection.h"

namespace caravel::store {
namespace {

const char* type_name(int type) {
  switch (type) {
    case SQLITE_INTEGER:
      return "an integer";
    case SQLITE_FLOAT:
      return "a real number";
    case SQLITE_TEXT:
      return "a text";
    case SQLITE_BLOB:
      return "bytes";
    default:
      return "nothing";
  }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(std::shared_ptr<const Connection> connection, std::string_view sql)
    : connection_(std::move(connection)) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_->handle, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  connection_->check(code, "read");
  CARAVEL_CHECK(statement != nullptr);  // no SQL but spaces and comments
}

void Statement::run(std::initializer_list<Value> values) {
  bind(values, false);
  // Reset also where a step throws: a failed statement holds its locks, too.
  const Rows rows(*this);
  while (step()) continue;
}

Rows Statement::query(std::initializer_list<Value> values) {
  bind(values, true);
  return Rows(*this);
}

void Statement::bind(std::initializer_list<Value> values, bool copied) {
  sqlite3_stmt* const statement = statement_.get();
  CARAVEL_CHECK(!sqlite3_stmt_busy(statement));
  CARAVEL_CHECK_EQ(static_cast<int>(values.size()), sqlite3_bind_parameter_count(statement));
  const auto lifetime = copied ? SQLITE_TRANSIENT : SQLITE_STATIC;
  int index = 0;
  for (const Value& value : values) {
    ++index;
    // SQLite takes a null pointer for NULL: an empty text is a text all the same.
    const int code =
        std::visit(Overloaded{[&](std::nullptr_t) { return sqlite3_bind_null(statement, index); },
                              [&](int64_t number) { return sqlite3_bind_int64(statement, index, number); },
                              [&](double number) { return sqlite3_bind_double(statement, index, number); },
                              [&](std::string_view text) {
                                return sqlite3_bind_text64(statement, index, text.empty() ? "" : text.data(),
                                                           text.size(), lifetime, SQLITE_UTF8);
                              },
                              [&](std::span<const std::byte> bytes) {
                                return sqlite3_bind_blob64(statement, index,
                                                           bytes.empty() ? static_cast<const void*>("") : bytes.data(),
                                                           bytes.size(), lifetime);
                              }},
                   value.value_);
    connection_->check(code, tried());
  }
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) connection_->fail(code, tried());
  return code == SQLITE_ROW;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());           // repeats the error of the step, which was told already
  sqlite3_clear_bindings(statement_.get());  // they may point to what the caller no longer has
}

const char* Statement::tried() const { return sqlite3_stmt_readonly(statement_.get()) != 0 ? "read" : "write"; }

Rows::~Rows() {
  if (statement_ != nullptr) statement_->reset();
}

bool Rows::next() {
  if (statement_ == nullptr) return false;
  if (statement_->step()) return true;
  std::exchange(statement_, nullptr)->reset();
  return false;
}

void Rows::expect(int column, int type) const {
  CARAVEL_CHECK(statement_ != nullptr);
  sqlite3_stmt* const statement = statement_->statement_.get();
  CARAVEL_CHECK(column >= 0 && column < sqlite3_data_count(statement));
  const int found = sqlite3_column_type(statement, column);
  if (found == type) return;
  throw fail<FormatError>("{}: column '{}' holds {} where {} belongs: somebody else wrote to it",
                          statement_->connection_->path, sqlite3_column_name(statement, column), type_name(found),
                          type_name(type));
}

int64_t Rows::integer(int column) const {
  expect(column, SQLITE_INTEGER);
  return sqlite3_column_int64(statement_->statement_.get(), column);
}

double Rows::real(int column) const {
  expect(column, SQLITE_FLOAT);
  return sqlite3_column_double(statement_->statement_.get(), column);
}

std::string_view Rows::text(int column) const {
  expect(column, SQLITE_TEXT);
  sqlite3_stmt* const statement = statement_->statement_.get();
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

std::span<const std::byte> Rows::bytes(int column) const {
  expect(column, SQLITE_BLOB);
  sqlite3_stmt* const statement = statement_->statement_.get();
  const auto* const bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement, column));
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement, column))};
}

bool Rows::is_null(int column) const {
  CARAVEL_CHECK(statement_ != nullptr);
  return sqlite3_column_type(statement_->statement_.get(), column) == SQLITE_NULL;
}

}  // namespace caravel::store
