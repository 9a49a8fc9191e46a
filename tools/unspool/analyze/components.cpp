// SPDX-License-Identifier: MIT
#include <unspool/analyze/components.hpp>

#include <algorithm>

namespace unspool {
namespace {

constexpr std::size_t unseen = ~std::size_t{0};

class Search {
 public:
  explicit Search(const std::vector<std::vector<std::size_t>>& edges)
      : edges_{edges}, order_(edges.size(), unseen), lowest_(edges.size(), unseen), open_(edges.size(), false) {}

  std::vector<std::vector<std::size_t>> run() {
    for (std::size_t start = 0; start < edges_.size(); ++start) {
      if (order_[start] == unseen) walk(start);
    }
    return std::move(found_);
  }

 private:
  struct Step {
    std::size_t node;
    std::size_t edge = 0;
  };

  void enter(std::size_t node) {
    order_[node] = lowest_[node] = count_++;
    stack_.push_back(node);
    open_[node] = true;
    path_.push_back({node});
  }

  void leave() {
    const std::size_t node = path_.back().node;
    path_.pop_back();
    if (!path_.empty()) lowest_[path_.back().node] = std::min(lowest_[path_.back().node], lowest_[node]);
    if (lowest_[node] != order_[node]) return;
    std::vector<std::size_t> component;
    for (std::size_t each = unseen; each != node;) {
      each = stack_.back();
      stack_.pop_back();
      open_[each] = false;
      component.push_back(each);
    }
    std::ranges::sort(component);
    found_.push_back(std::move(component));
  }

  void walk(std::size_t start) {
    enter(start);
    while (!path_.empty()) {
      Step& step = path_.back();
      if (step.edge == edges_[step.node].size()) {
        leave();
        continue;
      }
      const std::size_t to = edges_[step.node][step.edge++];
      if (order_[to] == unseen) {
        enter(to);
      } else if (open_[to]) {
        lowest_[step.node] = std::min(lowest_[step.node], order_[to]);
      }
    }
  }

  const std::vector<std::vector<std::size_t>>& edges_;
  std::vector<std::size_t> order_;
  std::vector<std::size_t> lowest_;
  std::vector<bool> open_;
  std::vector<std::size_t> stack_;
  std::vector<Step> path_;
  std::size_t count_ = 0;
  std::vector<std::vector<std::size_t>> found_;
};

}  // namespace

std::vector<std::vector<std::size_t>> components(const std::vector<std::vector<std::size_t>>& edges) {
  return Search{edges}.run();
}

}  // namespace unspool
