// SPDX-License-Identifier: MIT
#include <unspool/analyze/waiting.hpp>

namespace unspool {

std::string_view name_of(Certainty certainty) {
  switch (certainty) {
    case Certainty::certain:
      return "certain";
    case Certainty::likely:
      return "likely";
    case Certainty::possible:
      return "possible";
  }
  return "possible";
}

std::string_view name_of(Edge edge) {
  switch (edge) {
    case Edge::none:
      return "none";
    case Edge::owned:
      return "owned";
    case Edge::last_known:
      return "last-known";
    case Edge::candidate:
      return "candidate";
  }
  return "none";
}

}  // namespace unspool
