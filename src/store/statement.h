#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <variant>

struct sqlite3_stmt;

namespace caravel::store {

struct Connection;

/// What stands for a '?' of a statement. 64 bits without a sign keep their bits. A double loses the sign of -0.0, and a
/// NaN becomes NULL: where that matters, its bits are kept. Texts and bytes are the caller's until the call is over.
class Value {
 public:
  Value(std::nullptr_t) {}
  template <std::integral T>
  Value(T number) : value_(static_cast<int64_t>(number)) {}
  Value(double number) : value_(number) {}
  template <std::convertible_to<std::string_view> T>
  Value(const T& text) : value_(std::string_view(text)) {}
  template <std::convertible_to<std::span<const std::byte>> T>
  Value(const T& bytes) : value_(std::span<const std::byte>(bytes)) {}

 private:
  friend class Statement;
  std::variant<std::nullptr_t, int64_t, double, std::string_view, std::span<const std::byte>> value_ = nullptr;
};

class Statement;

/// The rows that a query gives, one after the other. While it lives, and until next() gave false, it holds a read lock:
/// what others write meanwhile is not seen, and the log cannot be shortened. So it is read to its end, or dropped.
class Rows {
 public:
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// Moves to the next row, at first to the first; false: there is none. Throws IoError, FormatError.
  bool next();

  /// Columns count from 0. Throw FormatError where the column holds another kind of value.
  int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;             // until next()
  std::span<const std::byte> bytes(int column) const;  // until next()
  bool is_null(int column) const;

 private:
  friend class Statement;
  explicit Rows(Statement& statement) : statement_(&statement) {}
  void expect(int column, int type) const;

  Statement* statement_;  // nullptr: the end was reached
};

/// SQL that was compiled once, for many uses. Movable; keeps its database open. One thread at a time.
class Statement {
 public:
  Statement(std::shared_ptr<const Connection> connection, std::string_view sql);  // Database::prepare

  /// Carries it out; rows that it may give are passed over. Throws IoError (among others: SQLite's words for a
  /// constraint that does not hold), FormatError.
  void run(std::initializer_list<Value> values = {});

  /// One query at a time. The rows need the statement where it is.
  Rows query(std::initializer_list<Value> values = {});

 private:
  friend class Rows;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  void bind(std::initializer_list<Value> values, bool copied);
  bool step();
  void reset();
  const char* tried() const;

  std::shared_ptr<const Connection> connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace caravel::store
