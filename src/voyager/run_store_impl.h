#pragma once

#include <memory>
#include <optional>
#include <string>

#include "store/database.h"
#include "voyager/folder_lock.h"
#include "voyager/run_schema.h"
#include "voyager/run_store.h"

namespace caravel::voyager {

/// The open file, for run_store.cc, which writes, and run_store_reads.cc.
struct RunStore::Impl {
  Impl(const std::string& folder, Open how);

  Json kept(std::string_view name);
  void keep(std::string_view name, const Json& value) { put_kept.run({name, to_text(value)}); }

  /// Of a text that stands there, or is added.
  int64_t text_id(const std::string& text);
  std::string text(int64_t id);
  CallRow call(const store::Rows& rows);

  /// Several statements that are one row become one also where no begin() stands around them.
  template <typename Write>
  void as_one(const Write& write) {
    std::optional<store::Transaction> alone;
    if (!transaction) alone.emplace(database);
    write();
    if (alone) alone->commit();
  }

  std::string path;
  std::unique_ptr<FolderLock> lock;
  store::Database database;
  std::optional<store::Transaction> transaction;
  store::Statement find_kept = database.prepare("SELECT value FROM kept WHERE name = ?");
  store::Statement put_kept = database.prepare("INSERT OR REPLACE INTO kept VALUES (?, ?)");
  store::Statement find_text = database.prepare("SELECT id, text FROM text WHERE hash = ?");
  store::Statement add_text = database.prepare("INSERT INTO text (hash, text) VALUES (?, ?)");
  store::Statement last_text = database.prepare("SELECT last_insert_rowid()");
  store::Statement text_of = database.prepare("SELECT text FROM text WHERE id = ?");
  store::Statement add_call = database.prepare("INSERT INTO call VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  store::Statement find_call = database.prepare("SELECT * FROM call WHERE number = ?");
  store::Statement add_embedding = database.prepare("INSERT INTO embedding VALUES (?, ?, ?, ?, ?)");
  store::Statement find_embedding = database.prepare("SELECT * FROM embedding WHERE number = ?");
  store::Statement put_step = database.prepare("INSERT OR REPLACE INTO step VALUES (?, ?, ?, ?, ?, ?)");
  store::Statement put_iteration = database.prepare("INSERT OR REPLACE INTO iteration VALUES (?, ?)");
  store::Statement add_item = database.prepare("INSERT OR IGNORE INTO item (name, iteration, tick) VALUES (?, ?, ?)");
  store::Statement put_saved = database.prepare("INSERT OR REPLACE INTO world VALUES (1, ?)");
};

}  // namespace caravel::voyager
