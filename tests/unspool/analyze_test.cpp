// SPDX-License-Identifier: MIT
//
// The containers of the analyses: percentiles and tallies in bounded memory.
#include <catch2/catch.hpp>
#include <unspool/analyze/samples.hpp>
#include <unspool/analyze/tally.hpp>

#include <random>

using namespace unspool;

TEST_CASE("percentiles of few samples are exact") {
  Samples samples;
  for (trace::Ticks value = 100; value >= 1; --value)
    samples.add(value * 1000);
  CHECK(samples.count() == 100);
  CHECK(samples.sum() == 5'050'000);
  CHECK(samples.percentile(0.5) == 50'000);
  CHECK(samples.percentile(0.99) == 99'000);
  CHECK(samples.percentile(1.0) == 100'000);
  CHECK(samples.percentile(0.0) == 1000);
  CHECK(samples.max() == 100'000);
  CHECK(samples.mean() == Approx(50'500));
}

TEST_CASE("percentiles of many samples are off by one in a hundred at most, sum and extremes by nothing") {
  Samples samples;
  std::vector<trace::Ticks> all;
  std::mt19937_64 random{7};
  trace::Ticks sum = 0;
  for (int i = 0; i < 200'000; ++i) {
    const trace::Ticks value = random() >> (20 + random() % 40);
    all.push_back(value);
    samples.add(value);
    sum += value;
  }
  std::sort(all.begin(), all.end());
  for (const double fraction : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact = static_cast<double>(all[static_cast<std::size_t>(fraction * 200'000) - 1]);
    CHECK(static_cast<double>(samples.percentile(fraction)) == Approx(exact).epsilon(0.01));
  }
  CHECK(samples.sum() == sum);
  CHECK(samples.max() == all.back());
  CHECK(samples.percentile(1.0) == all.back());
}

TEST_CASE("merged samples count as one") {
  Samples few;
  Samples many;
  Samples both;
  for (trace::Ticks value = 0; value < 10'000; ++value) {
    (value < 100 ? few : many).add(value * value);
    both.add(value * value);
  }
  few.merge(many);
  CHECK(few.count() == both.count());
  CHECK(few.sum() == both.sum());
  CHECK(static_cast<double>(few.percentile(0.5)) == Approx(static_cast<double>(both.percentile(0.5))).epsilon(0.01));
}

TEST_CASE("the greatest numbers do not wrap") {
  Samples samples;
  for (int i = 0; i < 5000; ++i)
    samples.add(~trace::Ticks{0});
  CHECK(samples.sum() == ~trace::Ticks{0});
  CHECK(samples.percentile(0.5) == ~trace::Ticks{0});
}

TEST_CASE("no sample has no percentile") {
  CHECK(Samples{}.percentile(0.99) == 0);
}

TEST_CASE("a tally keeps the greatest parts and loses no time of the others") {
  Tally tally;
  for (trace::ThreadNumber thread = 1; thread <= 50'000; ++thread)
    tally.add({thread, 7}, 1);
  tally.add({9, 7}, 1'000'000);
  for (trace::ThreadNumber thread = 50'001; thread <= 90'000; ++thread)
    tally.add({thread, 7}, 1);
  const std::vector<Part> parts = tally.parts();
  CHECK(parts.size() <= 2 * Tally::most + 1);
  trace::Ticks ticks = 0;
  std::uint64_t counts = 0;
  for (const Part& part : parts) {
    ticks += part.ticks;
    counts += part.count;
  }
  CHECK(ticks == 1'090'000);
  CHECK(counts == 90'001);
  CHECK(parts.front().actor == Actor{9, 7});
  REQUIRE(tally.by_site().size() == 1);
  CHECK(tally.by_site().front().ticks == 1'090'000);
}

TEST_CASE("a tally of endless sites stays small") {
  Tally tally;
  for (trace::SiteNumber site = 1; site <= 50'000; ++site)
    tally.add({1, site}, site);
  CHECK(tally.parts().size() <= 2 * Tally::most + 1);
}
