#include "mini/saving.h"

#include <algorithm>
#include <limits>

#include "mini/saved_bytes.h"

namespace caravel::mini {
namespace {

constexpr std::string_view kMagic = "caravel mini 1\n";
constexpr int64_t kMostNumber = int64_t{1} << 50;

void put(SavedBytes& out, const Cell& cell) {
  for (const int part : {cell.x, cell.y, cell.z}) out.number(part);
}

Cell cell_from(SavedReader& in) {
  Cell cell;
  cell.x = in.number_as<int>(-kEnd, kEnd - 1);
  cell.y = in.number_as<int>(0, kHeight);
  cell.z = in.number_as<int>(-kEnd, kEnd - 1);
  return cell;
}

ItemId item_from(SavedReader& in) { return in.number_as<ItemId>(0, static_cast<int64_t>(items().size()) - 1); }
Block block_from(SavedReader& in) {
  return static_cast<Block>(in.number(0, static_cast<int64_t>(blocks().size()) - 1));
}

void put(SavedBytes& out, const Stack& stack) {
  out.number(stack.count);
  if (stack.count == 0) return;
  out.number(stack.item);
  out.number(stack.wear);
}

Stack stack_from(SavedReader& in) {
  Stack stack;
  stack.count = in.number_as<int16_t>(0, 64);
  if (stack.count == 0) return stack;
  stack.item = item_from(in);
  stack.wear = in.number_as<int16_t>(0, std::max(0, info(stack.item).durability - 1));
  if (stack.count > info(stack.item).stack)
    throw fail<FormatError>("a saved world has a stack of {} {}, where {} fit", stack.count, info(stack.item).name,
                            info(stack.item).stack);
  return stack;
}

void put(SavedBytes& out, const Inventory& inventory) {
  for (const Stack& stack : inventory.slots()) put(out, stack);
}

Inventory inventory_from(SavedReader& in, int slots) {
  Inventory inventory(slots);
  for (int i = 0; i < slots; ++i) inventory.set_slot(i, stack_from(in));
  return inventory;
}

void put(SavedBytes& out, const Player& player) {
  put(out, player.at);
  put(out, player.home);
  for (const int number : {player.health, player.food, player.effort, player.rest, player.air}) out.number(number);
  out.number(player.hand);
  for (const Stack& stack : player.worn) put(out, stack);
  put(out, player.items);
}

void player_from(SavedReader& in, Player& player) {
  player.at = cell_from(in);
  player.home = cell_from(in);
  player.health = in.number_as<int>(1, kMostHealth);
  player.food = in.number_as<int>(0, kMostFood);
  player.effort = in.number_as<int>(0, 1 << 28);
  player.rest = in.number_as<int>(0, 1 << 28);
  player.air = in.number_as<int>(-kMostAir, kMostAir);
  player.hand = in.number_as<ItemId>(kNoItem, static_cast<int64_t>(items().size()) - 1);
  for (Stack& stack : player.worn) stack = stack_from(in);
  player.items = inventory_from(in, kSlots);
  if (player.hand != kNoItem && player.items.count(player.hand) == 0)
    throw fail<FormatError>("a saved world's player holds a {} that it does not have", info(player.hand).name);
}

void put(SavedBytes& out, const Creature& creature) {
  out.number(creature.id);
  out.number(static_cast<int>(creature.kind));
  put(out, creature.at);
  for (const int64_t number : {int64_t{creature.health}, creature.next_step, creature.next_blow, creature.scared_until})
    out.number(number);
}

Creature creature_from(SavedReader& in) {
  Creature creature;
  creature.id = in.number_as<int>(0, 1 << 30);
  creature.kind = static_cast<Kind>(in.number(0, kKinds - 1));
  creature.at = cell_from(in);
  creature.health = in.number_as<int>(-kMostHealth, kMostHealth);
  creature.next_step = in.number(0, kMostNumber);
  creature.next_blow = in.number(0, kMostNumber);
  creature.scared_until = in.number(0, kMostNumber);
  return creature;
}

using SeenBits = std::array<uint16_t, kChunkSide>;

/// 0: nothing, 1: all, 2: its bits follow.
void put(SavedBytes& out, const SeenBits& seen) {
  const auto all_are = [&](uint16_t value) {
    return std::all_of(seen.begin(), seen.end(), [&](uint16_t row) { return row == value; });
  };
  const int how = all_are(0) ? 0 : all_are(0xffff) ? 1 : 2;
  out.number(how);
  if (how == 2)
    for (const uint16_t row : seen) out.number(row);
}

SeenBits seen_from(SavedReader& in) {
  SeenBits seen{};
  const int64_t how = in.number(0, 2);
  if (how == 1) seen.fill(0xffff);
  if (how == 2)
    for (uint16_t& row : seen) row = in.number_as<uint16_t>(0, 0xffff);
  return seen;
}

void put(SavedBytes& out, const Terrain& terrain) {
  out.unsigned_number(terrain.records().size());
  for (const auto& [place, record] : terrain.records()) {
    out.number(place.first);
    out.number(place.second);
    put(out, record.seen);
    put(out, record.seen_below);
    out.unsigned_number(record.changed.size());
    int before = 0;
    for (const auto& [index, block] : record.changed) {
      out.number(index - before);
      out.number(static_cast<int>(block));
      before = index;
    }
  }
}

void terrain_from(SavedReader& in, Terrain& terrain) {
  constexpr int kEndChunk = (kEnd >> 4) + 8;  // what is seen beyond the end counts, too
  for (size_t left = in.size(); left > 0; --left) {
    Terrain::Place place;
    place.first = in.number_as<int>(-kEndChunk, kEndChunk);
    place.second = in.number_as<int>(-kEndChunk, kEndChunk);
    ChunkRecord record;
    record.seen = seen_from(in);
    record.seen_below = seen_from(in);
    int64_t index = 0;
    for (size_t changes = in.size(); changes > 0; --changes) {
      index += in.number(0, kColumns * kHeight - 1 - index);
      record.changed[static_cast<uint16_t>(index)] = block_from(in);
    }
    terrain.set_record(place, std::move(record));
  }
}

template <typename Map>
void put_counts(SavedBytes& out, const Map& counts) {
  out.unsigned_number(counts.size());
  for (const auto& [key, count] : counts) {
    out.number(static_cast<int64_t>(key));
    out.number(count);
  }
}

template <typename Map>
void counts_from(SavedReader& in, Map& counts, int64_t kinds) {
  using Key = typename Map::key_type;
  for (size_t left = in.size(); left > 0; --left) {
    const auto key = static_cast<Key>(in.number(0, kinds - 1));
    counts[key] = in.number(0, kMostNumber);
  }
}

void put(SavedBytes& out, const Counts& counts) {
  for (const auto* each : {&counts.crafted, &counts.smelted, &counts.placed, &counts.eaten}) put_counts(out, *each);
  put_counts(out, counts.mined);
  put_counts(out, counts.killed);
}

void counts_from(SavedReader& in, Counts& counts) {
  for (auto* each : {&counts.crafted, &counts.smelted, &counts.placed, &counts.eaten})
    counts_from(in, *each, static_cast<int64_t>(items().size()));
  counts_from(in, counts.mined, static_cast<int64_t>(blocks().size()));
  counts_from(in, counts.killed, kKinds);
}

}  // namespace

std::string saved(const Game& game) {
  SavedBytes out;
  out.text(kMagic);
  out.unsigned_number(game.terrain.seed());
  for (const int64_t number :
       {game.tick, static_cast<int64_t>(game.random.drawn()), int64_t{game.next_id}, int64_t{game.deaths}})
    out.number(number);
  put(out, game.last_look);
  put(out, game.player);
  out.unsigned_number(game.creatures.size());
  for (const Creature& creature : game.creatures) put(out, creature);
  put(out, game.counts);
  out.unsigned_number(game.chests.size());
  for (const auto& [cell, chest] : game.chests) {
    put(out, cell);
    put(out, chest);
  }
  out.unsigned_number(game.opened.size());
  for (const Cell& cell : game.opened) put(out, cell);
  out.unsigned_number(game.growing.size());
  for (const auto& [cell, tick] : game.growing) {
    put(out, cell);
    out.number(tick);
  }
  out.unsigned_number(game.had.size());
  for (const ItemId item : game.had) out.number(item);
  put(out, game.terrain);
  return out.take();
}

std::unique_ptr<Game> loaded(std::string_view bytes) {
  SavedReader in(bytes);
  if (!in.skip(kMagic))
    throw fail<FormatError>("this is no saved world of this version: it does not begin with \"{}\"",
                            kMagic.substr(0, kMagic.size() - 1));
  auto game = std::make_unique<Game>(in.unsigned_number());
  game->tick = in.number(0, kMostNumber);
  game->random = Random(random_seed(game->terrain.seed()),
                        static_cast<uint64_t>(in.number(0, std::numeric_limits<int64_t>::max())));
  game->next_id = in.number_as<int>(0, 1 << 30);
  game->deaths = in.number_as<int>(0, 1 << 30);
  game->last_look = cell_from(in);
  player_from(in, game->player);
  for (size_t left = in.size(); left > 0; --left) game->creatures.push_back(creature_from(in));
  counts_from(in, game->counts);
  for (size_t left = in.size(); left > 0; --left) {
    const Cell cell = cell_from(in);
    game->chests.insert_or_assign(cell, inventory_from(in, kChestSlots));
  }
  for (size_t left = in.size(); left > 0; --left) game->opened.insert(cell_from(in));
  for (size_t left = in.size(); left > 0; --left) {
    const Cell cell = cell_from(in);
    game->growing[cell] = in.number(0, kMostNumber);
  }
  for (size_t left = in.size(); left > 0; --left) game->had.insert(item_from(in));
  terrain_from(in, game->terrain);
  if (in.left() > 0) throw fail<FormatError>("a saved world goes on for {} bytes after its end", in.left());
  return game;
}

}  // namespace caravel::mini
