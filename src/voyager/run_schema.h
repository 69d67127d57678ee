#pragma once

#include "store/database.h"

namespace caravel::voyager {

/// The tables of RUN/voyage.db. Prompts repeat each other's messages: a text stands once, found by its hash.
constexpr store::Schema kRunSchema{.application = 0x43765679,  // "CvVy"
                                   .version = 1,
                                   .create = R"sql(
CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE world (id INTEGER PRIMARY KEY, saved BLOB NOT NULL);
CREATE TABLE text (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, text TEXT NOT NULL);
CREATE INDEX text_by_hash ON text (hash);
CREATE TABLE call (
  number INTEGER PRIMARY KEY, iteration INTEGER NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL,
  messages TEXT NOT NULL, schema TEXT NOT NULL, answer TEXT NOT NULL, reasoning TEXT NOT NULL, is_cut INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, counted INTEGER NOT NULL,
  cost_bits INTEGER NOT NULL, seconds REAL NOT NULL, retries TEXT NOT NULL);
CREATE TABLE embedding (
  number INTEGER PRIMARY KEY, iteration INTEGER NOT NULL, model TEXT NOT NULL, text TEXT NOT NULL,
  vector BLOB NOT NULL);
CREATE TABLE iteration (number INTEGER PRIMARY KEY, row TEXT NOT NULL);
CREATE TABLE step (
  iteration INTEGER NOT NULL, round INTEGER NOT NULL, x REAL NOT NULL, y REAL NOT NULL, z REAL NOT NULL,
  row TEXT NOT NULL, PRIMARY KEY (iteration, round)) WITHOUT ROWID;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, iteration INTEGER NOT NULL,
  tick INTEGER NOT NULL);
CREATE TABLE skill (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, row TEXT NOT NULL, vector BLOB NOT NULL,
  UNIQUE (name, version));
CREATE TABLE question (
  id INTEGER PRIMARY KEY, question TEXT NOT NULL, answer TEXT NOT NULL, vector BLOB NOT NULL,
  iteration INTEGER NOT NULL);
)sql"};

}  // namespace caravel::voyager
