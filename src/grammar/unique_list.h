#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caravel::grammar {

/// Items in the order in which they came, no two of one key: a client's list may be long, so that none is searched from
/// its beginning. KeyOf()(item) is a std::string, or a reference to one.
template <typename T, typename KeyOf>
class UniqueList {
 public:
  UniqueList() = default;
  UniqueList(std::initializer_list<T> items) : UniqueList(items.begin(), items.end()) {}
  template <typename Iterator>
  UniqueList(Iterator begin, Iterator end) {
    for (; begin != end; ++begin) add(*begin);
  }

  /// Where the item of this key stands, the new one or one that was there.
  size_t add(T item) {
    const auto [found, is_new] = places_.try_emplace(KeyOf()(item), items_.size());
    if (is_new) items_.push_back(std::move(item));
    return found->second;
  }
  void add_all(const UniqueList& others) {
    for (const T& item : others) add(item);
  }
  bool has(std::string_view key) const { return places_.contains(key); }
  const T* find(std::string_view key) const {
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &items_[found->second];
  }
  /// Its key must stay.
  T& at(size_t place) { return items_[place]; }
  template <typename Predicate>
  void erase_if(Predicate gone) {
    std::vector<T> rest;
    for (T& item : items_) {
      if (!gone(std::as_const(item))) rest.push_back(std::move(item));
    }
    *this = UniqueList();
    for (T& item : rest) add(std::move(item));
  }

  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  bool operator==(const UniqueList& other) const { return items_ == other.items_; }

 private:
  std::vector<T> items_;
  std::map<std::string, size_t, std::less<>> places_;
};

struct Itself {
  const std::string& operator()(const std::string& text) const { return text; }
};
using Texts = UniqueList<std::string, Itself>;

}  // namespace caravel::grammar
